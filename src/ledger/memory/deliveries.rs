//! What systems send unasked.

use std::collections::BTreeSet;

use async_trait::async_trait;
use syncline_sdk::SystemName;

use super::state::State;
use super::{Call, Memory};
use crate::{Delivered, Deliveries, Delivery, NewDelivery, Result};

#[async_trait]
impl Deliveries for Memory {
    async fn deliver(&self, delivery: &NewDelivery) -> Result<Delivered> {
        self.call(Call::People, |state| state.deliver(delivery)).await
    }

    async fn deliveries(&self, system: Option<&SystemName>, max: usize) -> Result<Vec<Delivery>> {
        self.call(Call::People, |state| {
            let of = |delivery: &&Delivery| system.is_none_or(|name| *name == delivery.system);
            state.deliveries.iter().rev().filter(of).take(max).cloned().collect()
        })
        .await
    }
}

impl State {
    fn deliver(&mut self, delivery: &NewDelivery) -> Delivered {
        let name = |notice: &str| (delivery.system.clone(), notice.to_owned());
        if let Some(once) = &delivery.once
            && self.notices.contains_key(&name(once))
        {
            return Delivered::Replayed;
        }
        let new: BTreeSet<&str> = delivery
            .notices
            .iter()
            .map(|notice| notice.id.as_str())
            .filter(|notice| !self.notices.contains_key(&name(notice)))
            .collect();
        let mut counted = delivery.counted(|notice| new.contains(notice));
        let at = delivery.at.micros();
        for notice in new.iter().copied().chain(delivery.once.as_deref()) {
            self.notices.insert(name(notice), at);
        }
        self.add_hints(&counted.hints);
        self.last_delivery += 1;
        counted.delivery.id = self.last_delivery;
        self.deliveries.push(counted.delivery.clone());
        Delivered::Recorded(counted.delivery)
    }
}
