"""The folder conf/ of a model: the settings with which libvosk computes features and searches the graph."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from models.build.phones import SILENCE_PHONE
from models.build.settings import Settings

MFCC: Final = """\
--use-energy=false
--num-mel-bins=40
--num-ceps=40
--low-freq=20
--high-freq=-400
--dither=0
--sample-frequency=16000
"""
"""40 cepstral coefficients of 40 mel bins lose no information. Without dither the same audio gives the same words.
features.py computes the same features."""


def model_conf(settings: Settings) -> str:
    """The content of conf/model.conf."""
    search, endpoint = settings.search, settings.endpoint
    return f"""\
--min-active={search.min_active}
--max-active={search.max_active}
--beam={search.beam:g}
--lattice-beam={search.lattice_beam:g}
--acoustic-scale={search.acoustic_scale:g}
--frame-subsampling-factor=3
--endpoint.silence-phones={SILENCE_PHONE}
--endpoint.rule2.min-trailing-silence={endpoint.rule2:g}
--endpoint.rule3.min-trailing-silence={endpoint.rule3:g}
--endpoint.rule4.min-trailing-silence={endpoint.rule4:g}
"""


def write_conf(model: Path, settings: Settings) -> None:
    """Writes conf/mfcc.conf and conf/model.conf in the folder of a model."""
    folder = model / "conf"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mfcc.conf").write_text(MFCC, encoding="ascii")
    (folder / "model.conf").write_text(model_conf(settings), encoding="ascii")
