//! How a service's tasks lie over zones and nodes, and what to move so that they lie evenly.
