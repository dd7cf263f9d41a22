//! What systems send unasked.

use async_trait::async_trait;
use syncline_sdk::SystemName;

use super::session::call;
use super::{Postgres, delivery};
use crate::{Delivered, Deliveries, Delivery, NewDelivery, Result};

#[async_trait]
impl Deliveries for Postgres {
    async fn deliver(&self, new: &NewDelivery) -> Result<Delivered> {
        call!(self, "record a delivery", |connection| delivery::deliver(connection, new))
    }

    async fn deliveries(&self, system: Option<&SystemName>, max: usize) -> Result<Vec<Delivery>> {
        call!(self, "list deliveries", |connection| delivery::list(connection, system, max))
    }
}
