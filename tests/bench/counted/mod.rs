//! What a step of a bench allocates, which is printed beside the time that criterion gives it.

/// Takes the step once and prints how often it asked for memory, and for how much of it altogether. Only this thread is
/// counted, so that the step has to do its work here.
pub fn once<T>(name: &str, step: impl FnOnce() -> T) -> T {
    let mut given = None;
    let made = allocation_counter::measure(|| given = Some(step()));
    println!("once/{name:<48} {:7} allocations of {:9} bytes", made.count_total, made.bytes_total);
    given.unwrap()
}
