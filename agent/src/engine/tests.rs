mod adapters;
mod configuration;
mod discovery;
mod scraping;
mod server;
mod windows;
