//! Measurements printed beside their targets.
