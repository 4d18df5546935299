from pathlib import Path

import pytest

from infra.cli import main
from infra.exits import Exit

TRAIL = """\
title: Guardrail deleted
name: trail
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: DeleteGuardrail}, condition: s}
"""
MANY = """\
title: Many
name: many
correlation: {type: event_count, rules: [trail], timespan: 5m, condition: {gte: 2}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "trail.yml").write_text(TRAIL)
    (tmp_path / "many.yml").write_text(MANY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rules(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str], list[str]]:
    code = main(["rules", *words])
    out, err = capfd.readouterr()
    return code, out.splitlines(), err.splitlines()


def test_export_writes_plain_sigma(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = rules(capfd, "export", "trail.yml", "many.yml", "--out", "sigma")
    assert (code, out) == (Exit.OK, [])
    assert err == ["2 rules and 0 filters written to sigma, 0 left out"]
    written = {str(path.relative_to(folder)) for path in (folder / "sigma").rglob("*.yml")}
    assert written == {"sigma/detections/trail.yml", "sigma/correlations/many.yml"}
    code, _, err = rules(capfd, "export", "trail.yml", "--out", "trail.yml")
    assert code == Exit.USAGE
    assert err[0].startswith("barograph: cannot write trail.yml/detections/trail.yml: ")


def test_export_names_what_pysigma_does_not_read(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    one = "Sigma correlation condition must have exactly one condition item"
    missing = "Rule 'bedrock_model_recon' not found in rule collection"
    many = (folder / "many.yml").read_text()
    (folder / "many.yml").write_text(many.replace("{gte: 2}", "{gte: 2, lt: 4}"))
    _, _, err = rules(capfd, "export", "trail.yml", "many.yml", "--out", "sigma")
    assert err == [
        "correlations/many.yml: pySigma does not read it: " + one,
        "2 rules and 0 filters written to sigma, 0 left out, 1 that pySigma does not read",
    ]
    (folder / "many.yml").write_text(many.replace("[trail]", "[bedrock_model_recon]"))
    _, _, err = rules(capfd, "export", "many.yml", "--out", "alone")
    assert err == [
        "correlations/many.yml: pySigma does not read it: " + missing,
        "1 rule and 0 filters written to alone, 0 left out, 1 that pySigma does not read",
    ]


@pytest.mark.usefixtures("folder")
def test_export_has_no_pipeline(capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = rules(capfd, "export", "trail.yml", "--out", "sigma", "--pipeline", "p.yml")
    assert code == Exit.USAGE
    assert "--pipeline" in err[0]


def test_export_removes_what_it_wrote_and_no_longer_writes(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rules(capfd, "export", "trail.yml", "many.yml", "--out", "sigma")
    (folder / "sigma/detections/mine.yml").write_text("title: mine\n")
    _, _, err = rules(capfd, "export", "trail.yml", "--out", "sigma")
    assert err == [
        "1 rule and 0 filters written to sigma, 0 left out, 1 file of an earlier export removed"
    ]
    written = {path.name for path in (folder / "sigma").rglob("*.yml")}
    assert written == {"trail.yml", "mine.yml"}


def test_export_replaces_no_file_that_is_not_its_own(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    own = folder / "sigma" / "detections" / "trail.yml"
    own.parent.mkdir(parents=True)
    own.write_text("title: mine\n")
    code, _, err = rules(capfd, "export", "trail.yml", "many.yml", "--out", "sigma")
    message = "sigma/detections/trail.yml is no file of an export; move it, or name another folder"
    assert (code, err) == (Exit.USAGE, [f"barograph: {message}"])
    assert own.read_text() == "title: mine\n"
    assert not (folder / "sigma" / "correlations").exists()
