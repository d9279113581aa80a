"""The composition root: settings -> adapters -> engine -> web. The only place that names
concrete classes, and beside `cli` the only one that reads the environment."""
