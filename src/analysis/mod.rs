//! Pure reasoning over the picture: what is wrong and why, whether a rollout has ended, what an action would do.
