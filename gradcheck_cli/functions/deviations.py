"""Where another library means something else by a name, or torch computes something else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Elsewhere:
    """What a name means in another library, where that is not what it means here.

    Attributes:
        function: the row that it means there; the row itself if empty.
        defaults: settings with another default there.
        needs: settings that must be written, each with a sentence why.
        named: settings that another thing has the place of, so that only their names tell them.
        scalars: True where its meaning for arrays is another one.
    """

    function: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    needs: Mapping[str, str] = field(default_factory=dict)
    named: tuple[str, ...] = ()
    scalars: bool = False


@dataclass(frozen=True)
class Approximation:
    """Where torch's own function, or its backward, answers an approximation of the meaning.

    Attributes:
        where: a comparison in the tool's own language, over the arguments and settings.
        says: what torch does there, as a part of a sentence.
        wide: True where only a format wider than float32 shows it.
    """

    where: str
    says: str
    wide: bool = False
