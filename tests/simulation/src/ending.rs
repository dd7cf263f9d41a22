//! The end of a run: everything is mended, and the world must become quiet.

use syncline_core::Side;

use crate::desk::ProcessId;
use crate::process::News;
use crate::world::{STEPS_MAX, World};

impl World {
    /// Everything is mended: nothing breaks from here on.
    pub(crate) fn heal(&mut self) {
        for open in std::mem::take(&mut self.people.open) {
            self.commit_transaction(open);
        }
        for side in Side::BOTH {
            self.systems[side].conditions(|conditions| {
                *conditions = syncline_testkit::Conditions::default();
            });
        }
        // The time leaps from here on: two processes would only take the shards from each other.
        while self.alive.len() > 1 {
            self.kill(0);
        }
        // The mappings are live in the end.
        while let [(id, _)] = self.alive.as_slice()
            && self.observes(*id)
        {
            self.kill(0);
            self.start();
        }
        self.desk.tell(|| "healed".to_owned());
        self.desk.calm();
        self.settle_down();
    }

    /// What tells that something still happens.
    fn pulse(&self) -> (usize, usize, usize, usize) {
        let lines = |side: Side| self.systems[side].view_history(<[_]>::len);
        let links = self.ledger.links();
        let commits = links.iter().filter_map(|link| link.last_entry).map(|entry| entry.commit);
        let entries = usize::try_from(commits.max().unwrap_or(0)).unwrap_or(0);
        let under_way: usize =
            Side::BOTH.into_iter().map(|side| self.systems[side].under_way().len()).sum();
        (lines(Side::Left), lines(Side::Right), entries, under_way)
    }

    /// Lets the world run until nothing happens any more.
    pub(crate) fn become_quiet(&mut self) -> Result<(), (&'static str, String)> {
        let mut quiet = 0;
        let waits = [200_000, 1_000_000, 2_100_000, 61_000_000, 1_000_000, 30_000_000, 700_000_000];
        for cycle in 0..140_usize {
            let step = STEPS_MAX + 1 + u32::try_from(cycle).unwrap_or(0);
            self.desk.lock().step = step;
            let before = self.pulse();
            self.cycle();
            self.defect()?;
            let now = self.desk.lock().now;
            self.pass_time(now + waits[cycle % waits.len()]);
            self.settle_down();
            if self.plan.answered_at_the_end && (15..70).contains(&cycle) {
                self.answers.answer_one(&self.plan, &self.desk, &self.ledger);
            }
            quiet = if self.pulse() == before { quiet + 1 } else { 0 };
            if quiet > 12 && cycle > 20 {
                return Ok(());
            }
        }
        let hints = self.ledger.all_hints();
        Err(("QUIET", format!("the world does not become quiet; hints: {hints:?}")))
    }

    /// Every process does everything it would do in time, once.
    fn cycle(&mut self) {
        self.settle_down();
        let processes: Vec<ProcessId> = self.alive.iter().map(|(id, _)| *id).collect();
        for process in processes {
            self.desk.post(process, News::Renew);
            self.settle_down();
            let jobs = self.desk.lock().jobs.get(&process).map_or(0, Vec::len);
            for at in 0..jobs {
                self.begin_job(process, at);
                self.settle_down();
            }
            self.desk.post(process, News::Settle);
            self.settle_down();
        }
    }
}
