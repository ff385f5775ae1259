//! How layers are packed, and how large they are when they are not.

use crate::kernel::{Error, Result};
use std::io::{self, Write};

/// How a layer is packed, by its media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// It is a plain archive.
    Plain,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Compression {
    /// Reads a media type of OCI or Docker; none where it does not tell.
    pub fn of(media_type: &str) -> Option<Self> {
        match media_type.rsplit_once(['.', '+'])?.1 {
            "tar" => Some(Self::Plain),
            "gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// Unpacks a stream, counts what comes out and keeps nothing of it.
pub struct Unpacked(Decoder);

enum Decoder {
    Plain(Counter),
    Gzip(Box<flate2::write::MultiGzDecoder<Counter>>),
    Zstd(Box<zstd::stream::write::Decoder<'static, Counter>>),
}

/// Counts up to a bound.
struct Counter {
    seen: u64,
    max: u64,
}

impl Unpacked {
    /// A count that fails beyond `max` bytes.
    pub fn new(compression: Compression, max: u64) -> Result<Self> {
        let counter = Counter { seen: 0, max };
        Ok(Self(match compression {
            Compression::Plain => Decoder::Plain(counter),
            Compression::Gzip => Decoder::Gzip(Box::new(flate2::write::MultiGzDecoder::new(counter))),
            Compression::Zstd => Decoder::Zstd(Box::new(zstd::stream::write::Decoder::new(counter)?)),
        }))
    }

    /// Takes the next packed bytes. Invalid `layer.unreadable` when they cannot be unpacked.
    pub fn take(&mut self, packed: &[u8]) -> Result<()> {
        match &mut self.0 {
            Decoder::Plain(counter) => counter.write_all(packed),
            Decoder::Gzip(decoder) => decoder.write_all(packed),
            Decoder::Zstd(decoder) => decoder.write_all(packed),
        }
        .map_err(unreadable)
    }

    /// How many bytes came out, once all were taken. Invalid `layer.unreadable` when the end is missing.
    pub fn finish(self) -> Result<u64> {
        let counter = match self.0 {
            Decoder::Plain(counter) => counter,
            Decoder::Gzip(decoder) => decoder.finish().map_err(unreadable)?,
            Decoder::Zstd(mut decoder) => {
                decoder.flush().map_err(unreadable)?;
                decoder.into_inner()
            }
        };
        Ok(counter.seen)
    }
}

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.seen += bytes.len() as u64;
        if self.seen > self.max {
            return Err(io::Error::other("more comes out than is counted"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn unreadable(cause: io::Error) -> Error {
    Error::invalid("layer.unreadable", "the layer cannot be unpacked").with_source(cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::write::GzEncoder;

    fn count(compression: Compression, packed: &[u8], max: u64) -> Result<u64> {
        let mut unpacked = Unpacked::new(compression, max)?;
        for piece in packed.chunks(7) {
            unpacked.take(piece)?;
        }
        unpacked.finish()
    }

    #[test]
    fn what_comes_out_is_counted_up_to_a_bound() {
        let bytes = vec![7; 100_000];
        let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&bytes).unwrap();
        let gzip = gzip.finish().unwrap();
        let zstd = zstd::encode_all(bytes.as_slice(), 1).unwrap();
        for (compression, packed) in
            [(Compression::Plain, &bytes), (Compression::Gzip, &gzip), (Compression::Zstd, &zstd)]
        {
            assert_eq!(count(compression, packed, 100_000).unwrap(), 100_000);
            assert!(count(compression, packed, 99_999).is_err());
        }
        assert_eq!(count(Compression::Gzip, &[gzip.clone(), gzip].concat(), 300_000).unwrap(), 200_000);
        assert!(count(Compression::Gzip, b"no gzip at all", 100).is_err());
    }

    #[test]
    fn a_media_type_tells_how_a_layer_is_packed() {
        for (media_type, expected) in [
            ("application/vnd.oci.image.layer.v1.tar", Some(Compression::Plain)),
            ("application/vnd.oci.image.layer.v1.tar+gzip", Some(Compression::Gzip)),
            ("application/vnd.docker.image.rootfs.diff.tar.gzip", Some(Compression::Gzip)),
            ("application/vnd.oci.image.layer.v1.tar+zstd", Some(Compression::Zstd)),
            ("text/plain", None),
            ("application/vnd.example.report+json", None),
        ] {
            assert_eq!(Compression::of(media_type), expected, "{media_type}");
        }
    }
}
