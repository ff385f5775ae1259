//! A range lies inside the blob, and a chunk is as long as it says.
#![no_main]

use image_factory::images::registry::{Requested, blob_range, content_range};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u64, &str)| {
    let (size, header) = input;
    for header in [header.to_owned(), format!("bytes={header}")] {
        if let Requested::Part(range) = blob_range(Some(&header), size) {
            assert!(range.start < range.end && range.end <= size);
        }
        if let Ok((start, length)) = content_range(&header) {
            assert!(length > 0 && start.checked_add(length - 1).is_some());
        }
    }
});
