//! What breaks: copies that arrive late, commits that land late, crashes, standing troubles.

use syncline_core::Side;
use syncline_testkit::CopyId;

use crate::people::Transaction;
use crate::world::World;

impl World {
    /// The copies of requests that are under way, those whose own call still waits included.
    fn copies(&self) -> Vec<(Side, CopyId)> {
        let all = Side::BOTH.into_iter().flat_map(|side| {
            let under_way = self.systems[side].under_way();
            under_way.into_iter().map(move |copy| (side, copy.copy))
        });
        all.collect()
    }

    pub(crate) fn copy(&self) {
        let copies = self.copies();
        let (copy, lost) = {
            let mut inner = self.desk.lock();
            let Some(copy) = inner.choices.one_of(&copies).copied() else { return };
            (copy, inner.choices.chance(200))
        };
        let (side, copy) = copy;
        if lost {
            self.systems[side].discard(copy);
            return;
        }
        self.desk.hit("fault: late copy delivered");
        self.desk.tell(|| format!("{side}: {copy:?} arrives"));
        self.systems[side].deliver(copy);
    }

    pub(crate) fn commit(&self) {
        let delayed = self.ledger.under_way();
        let Some(commit) = self.desk.lock().choices.one_of(&delayed).copied() else { return };
        let landed = self.ledger.land(commit);
        self.desk.hit("fault: late commit landed");
        self.desk.tell(|| format!("commit {commit} lands: {landed:?}"));
    }

    pub(crate) fn crash(&mut self) {
        if self.alive.is_empty() {
            return;
        }
        let at = {
            let mut inner = self.desk.lock();
            let count = u32::try_from(self.alive.len()).unwrap_or(1);
            let at = inner.choices.below(count) as usize;
            let (id, _) = self.alive[at];
            let recovering = inner.recovering.get(&id) == Some(&true);
            inner.coverage.hit("fault: crash");
            if recovering {
                inner.coverage.hit("fault: crash in recovery");
            }
            at
        };
        self.kill(at);
        if self.alive.is_empty() {
            if self.plan.changes && self.desk.lock().choices.chance(500) {
                self.change_mapping();
            }
            self.start();
            let now = self.desk.lock().now;
            // Mostly the new process comes when the lease of the dead one is over.
            if !self.desk.lock().choices.chance(300) {
                self.pass_time(now + 61_000_000);
            }
        }
    }

    pub(crate) fn trouble(&self) {
        let side = self.side();
        let which = self.desk.lock().choices.below(4);
        self.systems[side].conditions(|conditions| {
            let what = match which {
                0 => {
                    *conditions = syncline_testkit::Conditions::default();
                    return;
                }
                1 => {
                    conditions.unavailable = !conditions.unavailable;
                    "fault: system unavailable"
                }
                2 => {
                    let throttled = conditions.throttled.is_some();
                    let wait = std::time::Duration::from_secs(2);
                    conditions.throttled = (!throttled).then_some(wait);
                    "fault: throttled"
                }
                _ => {
                    conditions.stale_storm = !conditions.stale_storm;
                    "fault: stale storm"
                }
            };
            self.desk.hit(what);
        });
    }

    pub(crate) fn end_transaction(&mut self) {
        let at = {
            let mut inner = self.desk.lock();
            let count = u32::try_from(self.people.open.len()).unwrap_or(0);
            if count == 0 {
                return;
            }
            inner.choices.below(count) as usize
        };
        let open = self.people.open.remove(at);
        if self.desk.lock().choices.chance(100) {
            self.systems[open.side].roll_back(open.number);
            return;
        }
        self.commit_transaction(open);
    }

    pub(crate) fn commit_transaction(&self, open: Transaction) {
        let Transaction { side, number, .. } = open;
        let done = self.systems[side].commit(number);
        self.desk.tell(|| format!("{side}: transaction {number} commits: {done:?}"));
    }

    /// No transaction lasts longer than the window by which a poll of its system looks back
    /// (protocol O9): those that would are over before that much time has passed.
    pub(crate) fn end_old_transactions(&mut self, to: i64) {
        let (over, open) = std::mem::take(&mut self.people.open).into_iter().partition(|open| {
            let overlap = self.systems[open.side].profile().poll_overlap;
            let overlap = i64::try_from(overlap.as_micros()).unwrap_or(i64::MAX);
            // Stamps and cursors are cut to whole seconds.
            to - open.began > overlap - 1_000_000
        });
        self.people.open = open;
        let over: Vec<Transaction> = over;
        for open in over {
            self.commit_transaction(open);
        }
    }
}
