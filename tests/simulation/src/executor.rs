//! The executor: polls futures on one thread, in the order of their making.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

use crate::desk::{Desk, PASSES_MAX, ProcessId, Task};

/// Polls of futures within one step of the scheduler before the run is broken off.
const POLLS_MAX: usize = 20_000;

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Running {
    process: ProcessId,
    feed: bool,
    task: Task,
    flag: Arc<Flag>,
    waker: Waker,
}

/// All futures that run.
#[derive(Default)]
pub struct Executor {
    running: BTreeMap<u64, Running>,
    last: u64,
}

impl Executor {
    /// Runs everything that can go on, until everything waits for the scheduler. `ran` is called
    /// whenever something has run. False when that did not come to an end within the bounds of
    /// one step.
    #[must_use]
    pub fn run(&mut self, desk: &Desk, mut ran: impl FnMut()) -> bool {
        desk.lock().passed = 0;
        let mut polls = 0;
        loop {
            if polls > POLLS_MAX || desk.lock().passed > PASSES_MAX {
                return false;
            }
            self.take_in(desk);
            let woken = |(number, running): (&u64, &Running)| {
                running.flag.0.swap(false, Ordering::Relaxed).then_some(*number)
            };
            let woken: Vec<u64> = self.running.iter().filter_map(woken).collect();
            if woken.is_empty() {
                return true;
            }
            polls += woken.len();
            for number in woken {
                let Some(running) = self.running.get_mut(&number) else { continue };
                let mut context = Context::from_waker(&running.waker);
                if running.task.as_mut().poll(&mut context).is_ready() {
                    self.running.remove(&number);
                }
                ran();
            }
        }
    }
    fn take_in(&mut self, desk: &Desk) {
        let (ended, spawned) = {
            let mut inner = desk.lock();
            (std::mem::take(&mut inner.end_feeds), std::mem::take(&mut inner.spawned))
        };
        for process in ended {
            self.running.retain(|_, running| !(running.feed && running.process == process));
        }
        for (process, feed, task) in spawned {
            self.last += 1;
            let flag = Arc::new(Flag(AtomicBool::new(true)));
            let waker = Waker::from(flag.clone());
            self.running.insert(self.last, Running { process, feed, task, flag, waker });
        }
    }
    /// Drops every future of a process: it is dead.
    pub fn kill(&mut self, process: ProcessId) {
        self.running.retain(|_, running| running.process != process);
    }
    /// How many futures other than feeds and the life of a process run.
    #[must_use]
    pub fn busy(&self) -> usize {
        self.running.values().filter(|running| !running.feed).count()
    }
}
