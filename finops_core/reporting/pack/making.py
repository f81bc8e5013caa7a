"""Makes the pack of a month, in the forms that there are."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from pkgutil import iter_modules

from finops_core.model import words
from finops_core.quality import reconciliation
from finops_core.reporting.pack import sections as _sections
from finops_core.reporting.pack.content import Document, Part, Section
from finops_core.reporting.situation import Situation


@dataclass(frozen=True)
class Pack:
    """The sections of a situation that have something to say."""

    situation: Situation

    @property
    def title(self) -> str:
        return f"Cloud cost, {words.period(self.situation.period)}"

    @property
    def provenance(self) -> str:
        """What the figures are of, for the foot of each page."""
        found = self.situation
        state = reconciliation.in_words(found.known.reconciled)
        until = f"; complete days before {words.day(found.days.end)}" if found.is_running else ""
        return f"Effective cost, pools where they stand; {state[0].lower()}{state[1:]}; store {found.ledger.version}{until}"

    @cached_property
    def parts(self) -> list[tuple[Section, Part]]:
        made = [(section, section.make(self.situation)) for section in sections()]
        return [(section, part) for section, part in made if part is not None]

    @property
    def document(self) -> Document:
        parts = [(section.title, part) for section, part in self.parts]
        return Document(self.title, self.provenance, self.situation.days.end, parts)


@cache
def sections() -> tuple[Section, ...]:
    """All sections in their order."""
    found = [
        import_module(f"{_sections.__name__}.{m.name}").SECTION for m in iter_modules(_sections.__path__)
    ]
    return tuple(sorted(found, key=lambda section: section.order))


def _pdf(pack: Document) -> bytes:
    from finops_core.reporting.pack.pdf import to_pdf

    return to_pdf(pack)


def _xlsx(pack: Document) -> bytes:
    from finops_core.reporting.pack.workbook import to_xlsx

    return to_xlsx(pack)


def _markdown(pack: Document) -> bytes:
    from finops_core.reporting.pack.markdown import to_markdown

    return to_markdown(pack).encode()


FORMS: dict[str, Callable[[Document], bytes]] = {"pdf": _pdf, "xlsx": _xlsx, "md": _markdown}
"""Form → how a document is written in it."""


def make(pack: Pack, form: str) -> bytes:
    """The pack in a form of FORMS."""
    return FORMS[form](pack.document)
