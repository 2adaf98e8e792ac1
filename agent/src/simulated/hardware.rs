//! What the simulated machines are made of: four GPU models with the figures of their real namesakes.

/// One model of GPU.
#[derive(Debug, PartialEq)]
pub struct GpuModel {
    /// As NVML names it.
    pub name: &'static str,
    /// CUDA compute capability.
    pub compute_capability: &'static str,
    /// Device memory.
    pub memory_bytes: i64,
    /// Memory that the driver keeps for itself.
    pub memory_reserved_bytes: i64,
    /// Drawn with nothing running.
    pub power_idle_watts: f64,
    /// The board's limit.
    pub power_limit_watts: f64,
    /// SM clock with nothing running.
    pub sm_clock_idle_megahertz: f64,
    /// Highest SM clock.
    pub sm_clock_max_megahertz: f64,
    /// Memory clock, constant while the GPU is in use.
    pub memory_clock_megahertz: i64,
    /// Die temperature with nothing running.
    pub temperature_idle_celsius: f64,
    /// Die temperature that the full power limit leads to.
    pub temperature_full_celsius: f64,
    /// Above it the driver slows the GPU down.
    pub temperature_slowdown_celsius: i64,
    /// Above it the driver switches the GPU off.
    pub temperature_shutdown_celsius: i64,
    /// NVLink links.
    pub nvlink_links: i64,
    /// PCIe generation of the slot and the GPU.
    pub pcie_generation: i64,
}

const MIB: i64 = 1 << 20;

/// Eight of them in a node serve many replicas of a small model.
pub static A100: GpuModel = GpuModel {
    name: "NVIDIA A100-SXM4-80GB",
    compute_capability: "8.0",
    memory_bytes: 81_920 * MIB,
    memory_reserved_bytes: 593 * MIB,
    power_idle_watts: 62.0,
    power_limit_watts: 400.0,
    sm_clock_idle_megahertz: 210.0,
    sm_clock_max_megahertz: 1_410.0,
    memory_clock_megahertz: 1_593,
    temperature_idle_celsius: 30.0,
    temperature_full_celsius: 72.0,
    temperature_slowdown_celsius: 89,
    temperature_shutdown_celsius: 92,
    nvlink_links: 12,
    pcie_generation: 4,
};

/// Four of them hold one replica of a 70B model.
pub static H100: GpuModel = GpuModel {
    name: "NVIDIA H100 80GB HBM3",
    compute_capability: "9.0",
    memory_bytes: 81_559 * MIB,
    memory_reserved_bytes: 551 * MIB,
    power_idle_watts: 72.0,
    power_limit_watts: 700.0,
    sm_clock_idle_megahertz: 345.0,
    sm_clock_max_megahertz: 1_980.0,
    memory_clock_megahertz: 2_619,
    temperature_idle_celsius: 29.0,
    temperature_full_celsius: 76.0,
    temperature_slowdown_celsius: 87,
    temperature_shutdown_celsius: 92,
    nvlink_links: 18,
    pcie_generation: 5,
};

/// Eight of them hold one replica of a very large model.
pub static H200: GpuModel = GpuModel {
    name: "NVIDIA H200",
    compute_capability: "9.0",
    memory_bytes: 143_771 * MIB,
    memory_reserved_bytes: 606 * MIB,
    power_idle_watts: 76.0,
    power_limit_watts: 700.0,
    sm_clock_idle_megahertz: 345.0,
    sm_clock_max_megahertz: 1_980.0,
    memory_clock_megahertz: 3_201,
    temperature_idle_celsius: 28.0,
    temperature_full_celsius: 74.0,
    temperature_slowdown_celsius: 87,
    temperature_shutdown_celsius: 92,
    nvlink_links: 18,
    pcie_generation: 5,
};

/// Like the H200, half as fast again.
pub static B200: GpuModel = GpuModel {
    name: "NVIDIA B200",
    compute_capability: "10.0",
    memory_bytes: 183_359 * MIB,
    memory_reserved_bytes: 683 * MIB,
    power_idle_watts: 140.0,
    power_limit_watts: 1_000.0,
    sm_clock_idle_megahertz: 120.0,
    sm_clock_max_megahertz: 1_965.0,
    memory_clock_megahertz: 3_996,
    temperature_idle_celsius: 31.0,
    temperature_full_celsius: 78.0,
    temperature_slowdown_celsius: 90,
    temperature_shutdown_celsius: 95,
    nvlink_links: 18,
    pcie_generation: 5,
};
