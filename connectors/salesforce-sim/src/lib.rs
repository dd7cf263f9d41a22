//! A Salesforce org in a process, over HTTP.
