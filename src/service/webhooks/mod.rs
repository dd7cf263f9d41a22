//! Behind the doors: deliveries of webhooks are read, made hints of, and recorded.

mod desk;
mod payload;
mod spare;

pub(super) use desk::{Inbound, WebhookDesk};
