//! The in-memory connector with scripted faults and the connector conformance suite.
//!
//! # The fake system
//!
//! A [`MemorySystem`] is a whole outside system: entities ([`EntityModel`]) with records, a
//! [`Profile`] that says which kind of system it plays (conditional writes, receipts, feed,
//! recycle bin), people who work in it ([`Person`]), standing troubles ([`Conditions`]) and a
//! complete [history](MemorySystem::history) of what really happened. It has no thread, no
//! clock and no randomness: everything follows from the calls made. Clones are handles of the
//! same system.
//!
//! A [`MemoryConnector`] is one client of it and implements [`syncline_sdk::Connector`]. A crash
//! of the engine is the dropping of a client and of its futures; the system stays.
//!
//! ```
//! use syncline_testkit::{EntityModel, MemoryConnector, MemorySystem, Profile};
//!
//! let crm = MemorySystem::new("crm", Profile::crm()).entity(
//!     EntityModel::new("Account", "Id")
//!         .text("Name")
//!         .external_id("Link__c")
//!         .text("Marker__c"),
//! );
//! let entity = "Account".into();
//! let key = crm.person("ann").create(&entity, vec![("Name".into(), "Foo".into())])?;
//! let seen = crm.look(&entity, &key).unwrap_or_default();
//! crm.person("bob").having_seen(seen).edit(&entity, &key, vec![("Name".into(), "Bar".into())])?;
//! let client = MemoryConnector::new(&crm);
//! assert_eq!(crm.history().len(), 3);
//! # drop(client);
//! # Ok::<(), syncline_sdk::Error>(())
//! ```
//!
//! # Driving it from a simulator
//!
//! - Give each client a [`Gate`]. Every call awaits it at [`Step::Arrive`] (sent, not yet at the
//!   system) and at [`Step::Answer`] (the work is done, the answer not yet delivered); a push to
//!   a system that is not transactional also at [`Step::Within`], between two writes; a feed with
//!   nothing to give at [`Step::Idle`]. The simulator's gate stays pending until the scheduler
//!   picks the point, and answers with a [`Verdict`]: go, lose, delay past the client's time-out,
//!   duplicate, refuse.
//! - A push is *under way* from the moment it waits at `Arrive`. Lost patience
//!   ([`Verdict::Delay`]), a duplicate, a connection cut between two writes, and dropping the
//!   future (a crash) all leave a copy there: [`MemorySystem::under_way`] lists them,
//!   [`MemorySystem::deliver`] lets one arrive at any later moment,
//!   [`MemorySystem::discard`] loses it. Copies die by themselves at the end of
//!   the horizon that the profile declares, which is what makes `die_after` true. Do not
//!   deliver a copy whose own call still waits at `Arrive` unless that is meant: the call then
//!   ends as unknown.
//! - Time passes only by [`MemorySystem::advance`]; [`MemorySystem::next_due`] says when something
//!   happens by time alone. [`MemorySystem::skew`] sets the system's own clock apart.
//! - A feed wakes its task at every commit, so it may be left pending without an `Idle` verdict.
//!
//! Plain tests need none of this: [`MemoryConnector::new`] lets everything pass at once,
//! [`complete`] runs a future without a runtime, and a [`FaultScript`] befalls the n-th write.
//!
//! # The conformance suite
//!
//! [`conformance`] holds the promises of [`syncline_sdk::Connector`] as checks that run against
//! any connector through a [`conformance::Fixture`].

pub mod conformance;
mod connector;
mod entity;
mod executor;
mod faults;
mod feed;
mod filter;
mod gate;
mod history;
mod profile;
mod receipts;
mod system;
#[cfg(test)]
mod tests;
mod version;

pub use connector::MemoryConnector;
pub use entity::{Automation, Derived, EntityModel, Save};
pub use executor::complete;
pub use faults::{Conditions, Fault, FaultScript};
pub use gate::{Gate, Open, Operation, Point, Step, Verdict};
pub use history::{CopyId, Event, LogEntry, Origin, ReadSet, RequestEntry, Told, WriteEntry};
pub use profile::Profile;
pub use system::{Counts, MemorySystem, Person, UnderWay};
