//! What is kept of the installation and its settings.

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_sdk::{EntityName, Instant, SystemName};

use super::state::State;
use super::{Call, Memory};
use crate::{Awaited, Description, MappingRevision, Result, Setup, Snapshot};

#[async_trait]
impl Setup for Memory {
    async fn install(&self, candidate: &str) -> Result<String> {
        self.call(Call::Setup, |state| {
            state.install.get_or_insert_with(|| candidate.to_owned()).clone()
        })
        .await
    }

    async fn mapping(&self, name: &str, source: &str, _at: Instant) -> Result<MappingRevision> {
        self.call(Call::Setup, |state| state.mapping(name, source)).await
    }

    async fn revisions(&self, mapping: MappingId) -> Result<Vec<(i32, String)>> {
        self.call(Call::Setup, |state| {
            let texts = state.mappings.iter().find(|(known, _)| known.mapping == mapping);
            let texts = texts.into_iter().flat_map(|(_, texts)| texts);
            texts.enumerate().map(|(at, text)| (number(at), text.clone())).collect()
        })
        .await
    }

    async fn mappings(&self) -> Result<Vec<MappingRevision>> {
        self.call(Call::Setup, |state| {
            state.mappings.iter().map(|(revision, _)| revision.clone()).collect()
        })
        .await
    }

    async fn snapshot(&self, system: &SystemName, entity: &EntityName) -> Result<Option<Snapshot>> {
        let name = (system.clone(), entity.clone());
        self.call(Call::Setup, move |state| state.snapshots.get(&name).cloned()).await
    }

    async fn keep_snapshot(
        &self,
        system: &SystemName,
        entity: &EntityName,
        snapshot: &Snapshot,
    ) -> Result<()> {
        let name = (system.clone(), entity.clone());
        self.call(Call::Setup, |state| {
            state.snapshots.insert(name, snapshot.clone());
        })
        .await
    }

    async fn description(&self, mapping: MappingId, side: Side) -> Result<Option<Description>> {
        self.call(Call::Setup, |state| state.descriptions.get(&(mapping, side)).cloned()).await
    }

    async fn keep_description(
        &self,
        mapping: MappingId,
        side: Side,
        description: &Description,
    ) -> Result<()> {
        self.call(Call::Setup, |state| {
            state.descriptions.insert((mapping, side), description.clone());
        })
        .await
    }

    async fn keep_awaited(&self, awaited: &[Awaited]) -> Result<()> {
        self.call(Call::Setup, |state| {
            state.awaited = awaited.to_vec();
            state.awaited.sort();
        })
        .await
    }

    async fn token(&self, system: &SystemName, name: &str) -> Result<Option<SecretString>> {
        let name = (system.clone(), name.to_owned());
        self.call(Call::Setup, move |state| {
            state.tokens.get(&name).map(|token| token.clone().into())
        })
        .await
    }

    async fn keep_token(
        &self,
        system: &SystemName,
        name: &str,
        token: &SecretString,
    ) -> Result<()> {
        let name = (system.clone(), name.to_owned());
        self.call(Call::Setup, |state| {
            state.tokens.insert(name, token.expose_secret().to_owned());
        })
        .await
    }
}

/// The revision of the text at a place.
fn number(at: usize) -> i32 {
    i32::try_from(at + 1).unwrap_or(i32::MAX)
}

impl State {
    fn mapping(&mut self, name: &str, source: &str) -> MappingRevision {
        let count = i32::try_from(self.mappings.len()).unwrap_or(i32::MAX);
        match self.mappings.iter_mut().find(|(known, _)| known.name == name) {
            Some((known, texts)) => {
                if texts.last().is_none_or(|text| text != source) {
                    known.revision += 1;
                    texts.push(source.to_owned());
                }
                known.clone()
            }
            None => {
                let mapping = MappingId(count.saturating_add(1));
                let made = MappingRevision { mapping, name: name.to_owned(), revision: 1 };
                self.mappings.push((made.clone(), vec![source.to_owned()]));
                made
            }
        }
    }
}
