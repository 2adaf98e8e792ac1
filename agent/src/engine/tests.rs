mod adapters;
mod windows;
