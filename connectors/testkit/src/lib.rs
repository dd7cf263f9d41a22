//! The in-memory connector with scripted faults and the connector conformance suite.
