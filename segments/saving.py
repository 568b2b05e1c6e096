"""The one writer of memberships, from the changes that concern them (R38, R51, R52).

Their history is written by `customers.storage.saving` with everything else.
"""

from __future__ import annotations

from collections.abc import Mapping

from customers.changes import Erased, MembershipChanged, Unmerged
from customers.profile import Membership
from customers.storage.batch import Batch
from customers.storage.sql import Script

DROP_ALL = "DELETE FROM segments_membership WHERE customer_id = ANY(%s)"
DROPPED = {"customer_id": "bigint", "segmentation_id": "bigint"}
DROP = """
DELETE FROM segments_membership m USING {rows}
 WHERE m.customer_id = u.customer_id AND m.segmentation_id = u.segmentation_id
"""
MEMBERSHIPS = {**DROPPED, "segment_id": "bigint", "since": "timestamptz"}
# Not into a deleted segment, which what an undo restores may name.
PUT = f"""
INSERT INTO segments_membership ({", ".join(MEMBERSHIPS)})
SELECT u.* FROM {{rows}} WHERE EXISTS (SELECT FROM segments_segment s WHERE s.id = u.segment_id)
ON CONFLICT (customer_id, segmentation_id) DO UPDATE SET
  segment_id = EXCLUDED.segment_id, since = EXCLUDED.since
"""


class FinalMemberships:
    """The memberships a batch leaves behind. `emptied` are customers whose memberships are all taken away
    first.
    """

    def __init__(self) -> None:
        self.emptied: set[int] = set()
        self.memberships: dict[tuple[int, int], Membership | None] = {}

    def replace(self, customer: int, memberships: Mapping[int, Membership]) -> None:
        self.emptied.add(customer)
        for key in [key for key in self.memberships if key[0] == customer]:
            del self.memberships[key]
        self.memberships.update({(customer, segmentation): m for segmentation, m in memberships.items()})


def save(batch: Batch) -> None:
    """Write the memberships of a batch."""
    final = final_memberships(batch)
    script = Script()
    if final.emptied:
        script.execute(DROP_ALL, [sorted(final.emptied)])
    memberships = sorted(final.memberships.items(), key=lambda item: item[0])
    script.with_rows(DROP, DROPPED, [key for key, membership in memberships if membership is None])
    script.with_rows(PUT, MEMBERSHIPS, [(*key, m.segment, m.since) for key, m in memberships if m])
    script.send()


def final_memberships(batch: Batch) -> FinalMemberships:
    """The last change of a batch counts. Pure."""
    final = FinalMemberships()
    for change in batch.only(MembershipChanged, Unmerged, Erased):
        match change:
            case MembershipChanged():
                final.memberships[change.customer, change.segmentation] = change.after
            case Unmerged():
                for profile in (change.restored, change.remaining):
                    final.replace(profile.maestra_id, profile.memberships)
            case Erased():
                for maestra_id in change.maestra_ids:
                    final.replace(maestra_id, {})
    return final
