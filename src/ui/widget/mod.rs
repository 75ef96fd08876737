//! Parts that draw: the pen, titles, the table, sparklines, bars, the input line.

pub mod bar;
pub mod graph;
pub mod input;
pub mod pen;
pub mod table;
pub mod title;
