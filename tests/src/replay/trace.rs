//! Outages of machines, as they were measured.

use std::collections::BTreeMap;

use super::file::{self, Missing};

/// Machines and their outages, seconds from the beginning of the trace.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Names of the sites, which are the zones.
    pub sites: Vec<String>,
    /// Every machine that was watched, whether it ever failed or not.
    pub machines: Vec<Machine>,
    /// In the order in which they began; those of one machine neither touch nor overlap.
    pub outages: Vec<Outage>,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Unique in the trace.
    pub name: String,
    /// Index of its site.
    pub site: usize,
}

/// A time in which a machine was down, or not watched yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Index of the machine.
    pub machine: usize,
    /// When it began, in seconds.
    pub from_s: u64,
    /// When it was over, in seconds; later than it began.
    pub to_s: u64,
}

impl Trace {
    /// The Grid'5000 trace of the Failure Trace Archive: 1,288 nodes of 9 sites over 548 days.
    ///
    /// # Errors
    ///
    /// When a file of it is not there.
    pub fn grid5000() -> Result<Self, Missing> {
        let nodes = file::read("failures/grid5000_nodes.csv.gz")?;
        let outages = file::read("failures/grid5000_unavailability.csv.xz")?;
        Ok(Self::parse(&nodes, &outages))
    }

    /// Reads `site,cluster,node,start,end` of machines and of outages, each below a line of titles. A machine is down until
    /// its own start. Lines that are not such, and outages of machines that are not listed, are passed over.
    pub fn parse(nodes: &str, outages: &str) -> Self {
        let mut trace = Self::default();
        let mut places = BTreeMap::new();
        let mut spans: Vec<Vec<(u64, u64)>> = Vec::new();
        for (machine, (start_s, _)) in nodes.lines().skip(1).filter_map(fields) {
            places.insert(machine, trace.machines.len());
            let site = trace.site(machine[0]);
            trace.machines.push(Machine { name: machine.join("-"), site });
            spans.push(vec![(0, start_s)]);
        }
        for (machine, span) in outages.lines().skip(1).filter_map(fields) {
            if let Some(&place) = places.get(&machine) {
                spans[place].push(span);
            }
        }
        for (machine, spans) in spans.into_iter().enumerate() {
            let merged = merged(spans).into_iter();
            trace.outages.extend(merged.map(|(from_s, to_s)| Outage { machine, from_s, to_s }));
        }
        trace.outages.sort_unstable_by_key(|outage| (outage.from_s, outage.machine));
        trace
    }

    /// So many machines of each site, those that failed most first, and no other outages.
    pub fn smaller(&self, per_site: usize) -> Self {
        let mut failures = vec![0; self.machines.len()];
        self.outages.iter().for_each(|outage| failures[outage.machine] += 1);
        let mut order: Vec<usize> = (0..self.machines.len()).collect();
        order.sort_by_key(|&machine| (self.machines[machine].site, std::cmp::Reverse(failures[machine])));
        let mut taken = vec![0; self.sites.len()];
        order.retain(|&machine| {
            taken[self.machines[machine].site] += 1;
            taken[self.machines[machine].site] <= per_site
        });
        let places: BTreeMap<usize, usize> = order.iter().enumerate().map(|(to, from)| (*from, to)).collect();
        let moved = |it: &Outage| places.get(&it.machine).map(|&machine| Outage { machine, ..*it });
        Self {
            sites: self.sites.clone(),
            machines: order.iter().map(|&machine| self.machines[machine].clone()).collect(),
            outages: self.outages.iter().filter_map(moved).collect(),
        }
    }

    /// Seconds until the last outage begins.
    pub fn length_s(&self) -> u64 {
        self.outages.last().map_or(0, |outage| outage.from_s)
    }

    /// When half of the machines had come up for the first time: before it, what is up is no fleet.
    pub fn begun_s(&self) -> u64 {
        let first = self.outages.iter().filter(|outage| outage.from_s == 0).map(|outage| outage.to_s);
        let mut first: Vec<u64> = first.collect();
        first.resize(self.machines.len().max(first.len()), 0);
        first.sort_unstable();
        first.get(first.len() / 2).copied().unwrap_or_default()
    }

    /// Beginnings of the spans of so many seconds in which most outages begin, the fullest first, once the trace
    /// has begun.
    pub fn busiest(&self, span_s: u64) -> Vec<u64> {
        let (mut counts, begun_s) = (BTreeMap::new(), self.begun_s());
        for outage in self.outages.iter().filter(|outage| outage.from_s > begun_s) {
            *counts.entry(outage.from_s / span_s).or_insert(0) += 1;
        }
        let mut spans: Vec<(u64, i32)> = counts.into_iter().collect();
        spans.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        spans.into_iter().map(|(span, _)| span * span_s).collect()
    }

    fn site(&mut self, name: &str) -> usize {
        self.sites.iter().position(|site| site == name).unwrap_or_else(|| {
            self.sites.push(name.to_owned());
            self.sites.len() - 1
        })
    }
}

/// Site, cluster and node of a line, and its two moments.
fn fields(line: &str) -> Option<([&str; 3], (u64, u64))> {
    let mut fields = line.split(',');
    let mut next = || fields.next();
    let machine = [next()?, next()?, next()?];
    Some((machine, (next()?.trim().parse().ok()?, next()?.trim().parse().ok()?)))
}

/// Spans without those that are empty, joined where they touch.
fn merged(mut spans: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    spans.retain(|(from, to)| from < to);
    spans.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::with_capacity(spans.len());
    for (from, to) in spans {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            Some(_) | None => merged.push((from, to)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outages_of_one_machine_are_joined_and_names_are_unique_only_with_their_cluster() {
        let nodes =
            "site,cluster,node,trace_start_s,trace_end_s\na,c1,n1,0,99\na,c2,n1,10,99\nb,c1,n1,0,99\n";
        let outages = "site,cluster,node,down_start_s,down_end_s\n\
            a,c1,n1,5,9\na,c1,n1,8,12\na,c1,n1,12,13\na,c1,n1,20,20\na,c2,n1,50,60\nb,c9,n1,1,2\nnonsense\n";
        let trace = Trace::parse(nodes, outages);
        assert_eq!(trace.sites, ["a", "b"]);
        let names: Vec<&str> = trace.machines.iter().map(|machine| &*machine.name).collect();
        assert_eq!(names, ["a-c1-n1", "a-c2-n1", "b-c1-n1"]);
        let outages: Vec<_> = trace.outages.iter().map(|it| (it.machine, it.from_s, it.to_s)).collect();
        assert_eq!(outages, [(1, 0, 10), (0, 5, 13), (1, 50, 60)]);
        assert_eq!((trace.begun_s(), trace.busiest(40)), (0, vec![0, 40]));
        let smaller = trace.smaller(1);
        assert_eq!((smaller.machines.len(), smaller.machines[0].name.as_str()), (2, "a-c2-n1"));
        assert_eq!(smaller.outages.len(), 2);
    }
}
