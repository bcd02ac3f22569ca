"""Forgetting people in ClickHouse, beside the writing and never in its way.

A tombstone on the topic ``profiles`` is a row of `erasures`. From then on the person's rows are
nobody's: `user_id` is empty, and what could hold personal data is too. No row goes, so no count
changes. The statements find the people by the view `erased`: no id stays behind in a mutation's
text. A table is looked through until a look finds nothing, when somebody new is to be forgotten,
when rows of theirs were written later, and once at every start.
"""

import asyncio
import logging
import re
from importlib.resources import files
from typing import Final

from clickhouse_connect.driver import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError

from analytics.cluster import database, on
from analytics.writer.forgotten import CLEARED, Forgotten
from analytics.writer.tables import Table

EVERY_SECONDS: Final = 60.0
"""At most one mutation per table in so long: each rewrites parts."""

_WHO: Final = "SELECT user_id, toUnixTimestamp64Milli(until) FROM tocsin.erased"
_AT_WORK: Final = (
    "SELECT count() FROM %s WHERE database = {database:String} AND table = {table:String}"
    " AND NOT is_done"
)
_LEFT: Final = "SELECT count() FROM tocsin.%s"
_UPDATE: Final = re.compile(r"ALTER TABLE .*\nUPDATE .*")
_IN_BACKGROUND: Final = {
    "mutations_sync": 0,
    # each replica asks the replicated view itself; where they disagree one fetches from the other
    "allow_nondeterministic_mutations": 1,
}
log = logging.getLogger("tocsin.eraser")


class Eraser:
    """One per writer. Several at once do the same thing twice, which changes nothing."""

    def __init__(
        self,
        client: AsyncClient,
        forgotten: Forgotten,
        every: float = EVERY_SECONDS,
        cluster: str = "",
    ) -> None:
        self._client, self._forgotten, self._every = client, forgotten, every
        self._database = database(cluster)
        self._statements = {table: statement(table, cluster) for table in CLEARED}
        everywhere = f"clusterAllReplicas('{cluster}', system.mutations)"
        self._at_work = _AT_WORK % (everywhere if cluster else "system.mutations")

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. An outage of ClickHouse is waited for."""
        while not stop.is_set():
            rests = await self._tried()
            waits = [asyncio.create_task(stop.wait())]
            if not rests:
                waits.append(asyncio.create_task(self._forgotten.news.wait()))
            try:
                await asyncio.wait(waits, timeout=self._every, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()

    async def _tried(self) -> bool:
        try:
            return await self.look()
        except (ClickHouseError, OSError) as error:
            log.warning("erasing waits for ClickHouse: %s", str(error).partition("\n")[0][:300])
        except Exception:
            # nobody waits for this task: a mistake in it is told, and must not end the forgetting
            log.exception("erasing failed, and is tried again")
        return True

    async def look(self) -> bool:
        """Learn who is to be forgotten and look through every suspect table. True while there is
        something left, a mutation at work included."""
        self._forgotten.news.clear()
        who = await self._client.query(_WHO)
        self._forgotten.learn({str(user_id): int(until) for user_id, until in who.result_rows})
        for table in self._forgotten.suspects:
            self._forgotten.clear(table)
            try:
                done = await self._cleared(table)
            except BaseException:
                self._forgotten.suspect(table)
                raise
            if not done:
                self._forgotten.suspect(table)
        return bool(self._forgotten.suspects)

    async def _cleared(self, table: Table) -> bool:
        """Whether there is nothing of theirs in it; otherwise a mutation is at work now."""
        # in this order: a mutation that ends between the two questions is not begun again
        place = {"database": self._database, "table": table.name}
        at_work = await self._client.query(self._at_work, parameters=place)
        if at_work.result_rows[0][0]:
            return False
        update = self._statements[table]
        left = await self._client.query(_UPDATE.sub(_LEFT % table.name, update))
        rows = int(left.result_rows[0][0])
        if rows:
            await self._client.command(update, settings=_IN_BACKGROUND)
            log.info("%s: %d rows of people who were erased are being cleared", table.name, rows)
        return not rows


def statement(table: Table, cluster: str = "") -> str:
    """The mutation of a table; on a cluster, of the table itself on every shard."""
    text = (files("analytics") / "erasure" / f"{table.name}.sql").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    lines[0] = f"ALTER TABLE {database(cluster)}.{table.name} {on(cluster)}".rstrip()
    return "\n".join(lines)
