//! The pure core: model, mapping, reconcile, machine.
