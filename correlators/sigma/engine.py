"""RE2, the only regular expressions here: linear in the text, whoever wrote pattern or text."""

import re
from typing import Any, Final, cast

import re2
from sigma.policy import SigmaPolicy
from sigma.policy.regex_engine import RE2RegexEngine, RegexPattern

from correlators.sigma.lacking import lacks

_RE2: Final[Any] = re2  # untyped


class Engine(RE2RegexEngine):
    """pySigma's engine; it says what is wrong by raising and writes nothing to stderr."""

    def compile(self, pattern: str, flags: int = 0) -> RegexPattern:
        """Compile; of the flags of `re` those for case, lines and dots count. `error` otherwise."""
        options = _RE2.Options()
        options.log_errors = False
        known = ((re.IGNORECASE, "i"), (re.MULTILINE, "m"), (re.DOTALL, "s"))
        letters = "".join(letter for flag, letter in known if flags & flag)
        prefix = f"(?{letters})" if letters else ""
        try:
            return cast("RegexPattern", _RE2.compile(prefix + pattern, options))
        except _RE2.error as error:
            raise _RE2.error(lacks(pattern) or error.args[0].decode(errors="replace")) from None

    def escape(self, plain: str) -> str:
        """The pattern that matches `plain` and nothing else."""
        return str(_RE2.escape(plain))


ENGINE: Final = Engine()
POLICY: Final = SigmaPolicy(regex_engine=ENGINE)
