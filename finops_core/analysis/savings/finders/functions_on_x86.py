"""Functions that run on the dearer processor, with more memory than they may need."""

from finops_core.analysis.savings.finders.finder import Finder, service, usage

FINDER = Finder(
    name="over-allocated-functions",
    title="Functions on x86, at full memory",
    why="A second of a function costs a fifth less on Arm, and its memory is seldom measured: move it, and tune what it is given.",
    lines=service("Lambda") & usage(r"Lambda-(Provisioned-)?GB-Second$|Lambda-Provisioned-Concurrency$"),
    share=0.2,
    effort="M",
    risk="low",
    caveats=(
        "What memory a function uses, the bill does not show: a fifth is the difference of the processors alone",
    ),
    order=140,
)
