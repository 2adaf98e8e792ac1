//! Events worth keeping, in the store.
