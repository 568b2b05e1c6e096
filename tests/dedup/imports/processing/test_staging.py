"""From a file to rows in chunks, by one worker at a time, and again from the beginning where one died."""

from __future__ import annotations

from typing import Any

import pytest

from customers.errors import SelfsameError
from customers.setup.integration_points import Point
from customers.storage.locking import Work, alone
from dedup.imports import operations
from dedup.imports.operations import find
from dedup.imports.processing import staging
from dedup.models import (
    Import,
    ImportBlock,
    ImportChunk,
    ImportKind,
    ImportMapping,
    ImportPiece,
    ImportStates,
)
from dedup.storage.integrity import faults
from tests.dedup.imports.importing import ANN, BOB, HEADER, imported, outcomes, project, sent, worked

pytestmark = pytest.mark.django_db


@pytest.fixture
def point() -> Point:
    return project()


def staged(source: Import) -> Import:
    staging.stage(source.pk)
    return find(source.pk)


def test_the_file_is_gone_once_its_rows_are_there(point: Point) -> None:
    source = sent(point, [("1", ANN, "", ""), ("2", BOB, "", "")])
    assert ImportBlock.objects.count() == 1
    source = staged(source)
    assert (source.state, source.rows_staged, source.last_line) == (ImportStates.RUNNING, 2, 3)
    assert (ImportBlock.objects.count(), ImportChunk.objects.count()) == (0, 1)
    (piece,) = ImportPiece.objects.all()
    assert (piece.lines, piece.key_counts, len(piece.keys)) == ([2, 3], [2, 2], 4)
    assert faults() == []


def test_rows_of_many_open_chunks_are_written_in_pieces(
    point: Point, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IMPORT_CHUNK_ROWS = 4
    monkeypatch.setattr(staging, "HELD_AT_ONCE", 3)
    rows = [(str(1 + n % 3), f"p{n}@example.com", "", "") for n in range(12)]
    source = staged(sent(point, rows))
    assert ImportPiece.objects.count() > ImportChunk.objects.count() == 3
    source = worked(source)
    assert set(outcomes(source)) == {"changed", "created"}
    assert faults() == []


def test_a_worker_that_died_over_it_leaves_it_to_the_next(
    point: Point, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_given: Any) -> None:
        raise Killed

    source = sent(point, [("1", ANN, "", ""), ("2", BOB, "", "")])
    with monkeypatch.context() as patch:
        patch.setattr(staging, "start_running", killed)
        with pytest.raises(Killed):
            staging.stage(source.pk)
    assert (ImportPiece.objects.count(), find(source.pk).state) == (1, ImportStates.STAGING)
    source = worked(find(source.pk))
    assert (ImportPiece.objects.count(), outcomes(source)) == (1, ["created", "created"])


def test_while_one_worker_is_at_it_another_leaves_it_alone(point: Point) -> None:
    source = sent(point, [("1", ANN, "", "")])
    with alone(Work.STAGING, source.pk) as is_alone:
        assert is_alone
        assert not staging.stage(source.pk)
    assert outcomes(worked(source)) == ["created"]


def test_a_pause_while_it_is_read_begins_anew(point: Point, monkeypatch: pytest.MonkeyPatch) -> None:
    source = sent(point, [("1", ANN, "", "")])
    write = staging.write_pieces

    def paused(*given: Any) -> None:
        write(*given)
        operations.pause(source)

    with monkeypatch.context() as patch:
        patch.setattr(staging, "write_pieces", paused)
        staging.stage(source.pk)
    assert (find(source.pk).state, ImportPiece.objects.count()) == (ImportStates.PAUSED, 0)
    assert outcomes(worked(operations.resume(source))) == ["created"]


def test_a_cancelled_file_is_dropped(point: Point) -> None:
    source = operations.cancel(sent(point, [("1", ANN, "", "")]))
    assert (source.state, ImportBlock.objects.count()) == (ImportStates.CANCELLED, 0)
    assert not staging.stage(source.pk)


def test_a_file_that_cannot_be_read_to_its_end_fails_and_says_why(
    point: Point, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = sent(point, [("1", ANN, "", "")])
    monkeypatch.setattr(staging, "read_rows", lambda *_given: (_ for _ in ()).throw(RuntimeError("odd")))
    source = worked(source)
    assert source.problem is not None
    assert (source.state, source.problem["code"]) == (ImportStates.FAILED, "internal_error")
    assert (ImportBlock.objects.count(), faults()) == (0, [])


def test_columns_by_hand_win_over_those_recognised(point: Point) -> None:
    rows = [("1", ANN, "", "x")]
    source = sent(point, rows, ("CrmID", "E-mail", "Session", "Mail"), mapping={"Mail": "ids.session_key"})
    assert source.targets == ["ids.crm_id", "email", None, "ids.session_key"]
    assert operations.unmapped_columns(source) == ("Session",)
    with pytest.raises(SelfsameError, match="no such column"):
        sent(point, rows, mapping={"Nope": "email"})
    with pytest.raises(SelfsameError, match="who the rows are about"):
        sent(point, rows, mapping=dict.fromkeys(HEADER[:3]))


def test_a_saved_mapping_serves_files_with_its_columns(point: Point) -> None:
    source = imported(point, [("1", ANN, "", "k1")], mapping={"FirstName": "ids.session_key"})
    operations.save_mapping("nightly", source)
    operations.save_mapping("nightly", source)
    assert ImportMapping.objects.count() == 1
    (saved,) = operations.fitting(ImportKind.CUSTOMERS, HEADER)
    assert saved.name == "nightly"
    again = sent(point, [("k2", "2")], ("FirstName", "CrmID"), mapping="nightly")
    assert again.targets == ["ids.session_key", "ids.crm_id"]
    with pytest.raises(SelfsameError, match="no saved mapping"):
        sent(point, [("1", ANN, "", "")], mapping="other")


def test_row_data_is_dropped_when_its_time_is_over_and_the_sums_stay(point: Point, settings: Any) -> None:
    source = imported(point, [("1", ANN, "", ""), ("", "x", "", "")])
    operations.drop_old_rows()
    assert ImportPiece.objects.exists()
    settings.IMPORT_ROWS_KEPT_DAYS = 0
    operations.drop_old_rows()
    assert not ImportPiece.objects.exists()
    assert not ImportChunk.objects.exists()
    source = find(source.pk)
    assert source.rows_dropped_at
    assert source.result["counts"] == {"created": 1, "failed": 1, "failed:validation_error": 1}
    assert faults() == []
