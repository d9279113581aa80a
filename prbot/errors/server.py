"""What prbot says to whoever runs the service: its settings, and what the machine lacks."""

from __future__ import annotations

from dataclasses import dataclass

from prbot.errors import PrbotError


@dataclass(eq=False)
class MissingSetting(PrbotError):
    """The setting {name} is missing: {why}."""

    name: str
    why: str
    remedy: str
    hint = "{remedy}"


@dataclass(eq=False)
class BadSetting(PrbotError):
    """The environment variable {name} cannot be used: {problem}."""

    name: str
    problem: str
    remedy: str
    hint = "{remedy}"


@dataclass(eq=False)
class MissingWebhookSecret(MissingSetting):
    """The setting {name} is missing: {why}."""

    why: str = "without it nobody can tell the forge's webhooks from a stranger's"
    remedy: str = "Write `webhook_secret: env://NAME` or `file:///path` there, and enter the same secret in the forge's webhook settings."


@dataclass(eq=False)
class EmptySecret(MissingSetting):
    """The setting {name} is missing: {why}."""

    why: str = "the place it points to is absent, unreadable or empty"
    remedy: str = "Set the environment variable, or mount the file, before prbot starts."


@dataclass(eq=False)
class CredentialsUnclear(PrbotError):
    """a forge needs exactly one of `token` and `app`"""

    hint = "Keep `token: env://NAME`, or `app: {{id: …, private_key: file:///path}}`."


class GitLabWithoutToken(PrbotError):
    """a forge of kind `gitlab` takes a `token`, not an `app`"""

    hint = "Make a project, group or personal access token with the scope `api`, and keep `token: env://NAME`."


class NotGitLabsApi(PrbotError):
    """a GitLab's `api_url` ends with `/api/v4`"""

    hint = "Write `https://HOST/api/v4`, with the path before it if GitLab is not at the root."


@dataclass(eq=False)
class UnencryptedForge(PrbotError):
    """this address would carry credentials unencrypted, or holds some itself"""

    hint = "Use https:// without a user name; http:// is only for this machine's own addresses."


@dataclass(eq=False)
class UnknownDatabase(PrbotError):
    """the database must be `sqlite` or begin with `postgresql://`"""

    hint = (
        "Leave the key out for one process; for several write `postgresql://USER@HOST/NAME`, or"
        " `env://NAME` with that address in the variable NAME."
    )


@dataclass(eq=False)
class NotCarriedOut(PrbotError):
    """{path} sets {keys}, which this version of prbot checks and does not carry out yet."""

    path: str
    keys: str
    hint = "Leave them out: what somebody relies on is never ignored in silence."


@dataclass(eq=False)
class NobodyWorks(PrbotError):
    """with `parallel_jobs: 0` and an SQLite database nothing would ever be planned"""

    hint = "Let it be 1 or more, or set `database: postgresql://…` and start `prbot worker` too."


@dataclass(eq=False)
class BadDatabase(PrbotError):
    """What `database: {reference}` refers to does not begin with `postgresql://`."""

    reference: str
    hint = "Put an address such as postgresql://USER:PASSWORD@HOST/NAME there."


@dataclass(eq=False)
class WorkersNeedPostgres(PrbotError):
    """`prbot worker` works beside other processes, and an SQLite database is for one process."""

    hint = "Set `database: postgresql://…`, or run `prbot serve` alone: it does the work too."


@dataclass(eq=False)
class UnknownArtifacts(PrbotError):
    """artifacts are kept in `state_dir`, or in S3 at `s3://BUCKET` or `s3://BUCKET/PREFIX`"""

    hint = "Write `artifacts: s3://my-bucket/prbot`, or leave the key out."


@dataclass(eq=False)
class AllowlistMissing(PrbotError):
    """Nothing says which repositories are served, so prbot.server.yaml cannot be written."""

    hint = "Give Atlantis's flags too, such as --flags '--repo-allowlist=github.com/acme/*'."


@dataclass(eq=False)
class WrongInstallationKey(PrbotError):
    """A stored artifact cannot be decrypted with this installation's key."""

    hint = "Start prbot with the installation.key that stood beside the database when the plan was made, or plan again."


@dataclass(eq=False)
class BucketMissing(PrbotError):
    """The S3 bucket {bucket} for plans does not exist."""

    bucket: str
    hint = "Create it, or correct `artifacts` in the operator's file; then comment `prbot plan`."


@dataclass(eq=False)
class BucketRefused(PrbotError):
    """S3 did not let prbot {what} a plan in the bucket {bucket}: {cause}."""

    bucket: str
    what: str
    cause: str
    hint = "Allow prbot s3:GetObject, s3:PutObject and s3:DeleteObject there and s3:ListBucket on the bucket; check its credentials and region."


@dataclass(eq=False)
class BucketUnavailable(PrbotError):
    """S3 did not answer for the bucket {bucket} of plans: {cause}."""

    bucket: str
    cause: str
    hint = "Check the network and AWS_ENDPOINT_URL, then give the command again."


@dataclass(eq=False)
class PackageMissing(PrbotError):
    """The Python package {package}, which these settings need, is not installed."""

    package: str
    extra: str
    hint = "Install it with: pip install 'prbot[{extra}]'."


@dataclass(eq=False)
class CannotRead(PrbotError):
    """{path} could not be read: {cause}."""

    path: str
    cause: str
    hint = "Name the operator's file with --config; docs/configuration.md says what stands in it."


@dataclass(eq=False)
class AlreadyRunning(PrbotError):
    """Another prbot already works with the state directory {state_dir}."""

    state_dir: str
    hint = "Stop it first, or give this one a `state_dir` of its own."


@dataclass(eq=False)
class HeldElsewhere(PrbotError):
    """Another process on this machine has held {path} for more than {seconds} s."""

    path: str
    seconds: int
    hint = "Find the git or Terraform that hangs (`fuser {path}` names it), end it, and try again."


@dataclass(eq=False)
class CannotListen(PrbotError):
    """prbot cannot listen on {address}: {cause}."""

    address: str
    cause: str
    hint = "Stop what listens there, or choose another address with `listen:` or --port."


@dataclass(eq=False)
class ServiceBroken(PrbotError):
    """The service stopped because its work could not be kept track of any more."""

    hint = "The log's last lines say why (often the disk or the database); start it again after."
