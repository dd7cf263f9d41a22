//! The Salesforce connector.
