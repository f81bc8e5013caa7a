"""The value of a tag, spellings made one: `{tag: [team, owner], spellings: {prod: [production, prd]}, only: [prod, dev]}`.

Keys are compared in lower case and without a provider's prefix; the first of them that has a value counts. Spellings are
compared in lower case and without blanks around them; what no spelling names stays as it is. With `only`, a list or a
directory whose keys are meant, any other value counts as none, so that the next rule is asked.
"""

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from finops_core.allocation import values
from finops_core.allocation.kinds import is_applied, one_or_more, owner_name
from finops_core.focus.charges import TAG_PREFIXES
from finops_core.formats.expressions import quoted

KEY = "tag"
_Owner = Annotated[str, AfterValidator(owner_name)]


def _spellings(written: Any) -> Any:
    if not isinstance(written, dict):
        return written
    return tuple((name, one_or_more(spelt)) for name, spelt in written.items())


def _key(text: str, info: ValidationInfo) -> str:
    if not text.strip() and not is_applied(info):
        raise ValueError("is blank: a tag has a name")
    return text


class Value(values.Value):
    direct: ClassVar[bool] = True
    tag: Annotated[
        tuple[Annotated[str, AfterValidator(_key)], ...], BeforeValidator(one_or_more), Field(min_length=1)
    ]
    spellings: Annotated[tuple[tuple[_Owner, tuple[str, ...]], ...], BeforeValidator(_spellings)] = ()
    only: Annotated[
        tuple[str, ...] | None, BeforeValidator(lambda v: tuple(v) if isinstance(v, list) else v)
    ] = None
    known: str | None = None
    """The directory whose keys are the values that count."""

    @model_validator(mode="before")
    @classmethod
    def _of_directory(cls, written: Any) -> Any:
        if isinstance(written, dict) and isinstance(written.get("only"), str):
            return {**{k: v for k, v in written.items() if k != "only"}, "known": written["only"]}
        return written

    @model_validator(mode="after")
    def _one_meaning(self) -> "Value":
        seen: dict[str, str] = {}
        for name, spelt in self.spellings:
            for spelling in spelt:
                other = seen.setdefault(spelling.strip().lower(), name)
                if other != name:
                    raise ValueError(f"the spelling {spelling!r} stands for both {other!r} and {name!r}")
        return self

    def reads(self) -> tuple[str, ...]:
        return ("Tags",)

    def directories(self) -> tuple[tuple[str, str | None], ...]:
        return ((self.known, None),) if self.known else ()

    def sql(self, scope: values.Scope) -> str:
        return scope.tagged(self)

    def of_pairs(self, pairs: str) -> str:
        """SQL over a map of lower-case tag keys to values."""
        candidates = [prefix + key.strip().lower() for key in self.tag for prefix in TAG_PREFIXES]
        value = "coalesce(" + ", ".join(f"{pairs}[{quoted(c)}]" for c in candidates) + ")"
        spelt = {s.strip().lower(): name for name, spellings in self.spellings for s in (name, *spellings)}
        if spelt:
            cases = " ".join(f"WHEN {quoted(s)} THEN {quoted(name)}" for s, name in spelt.items())
            value = f"CASE lower({value}) {cases} ELSE {value} END"
        if self.only is not None:
            value = f"CASE WHEN {value} IN ({', '.join(map(quoted, self.only))}) THEN {value} END"
        return value

    def in_words(self) -> str:
        return f"the tag {' or '.join(self.tag)}"
