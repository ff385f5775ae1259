import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The machine's static busybox: no test needs an image from elsewhere. */
const BUSYBOX = ['/bin/busybox', '/usr/bin/busybox'].find(existsSync);

const BASE = `FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
ENV PATH=/bin
`;

/** A build context of an image with a shell, and further instructions, as `.tar.gz`. */
export function shellContext(instructions: string): Buffer {
  if (!BUSYBOX) throw new Error('there is no busybox: apt-get install busybox-static');
  const folder = mkdtempSync(join(tmpdir(), 'image-factory-context-'));
  try {
    copyFileSync(BUSYBOX, join(folder, 'busybox'));
    writeFileSync(join(folder, 'Dockerfile'), BASE + instructions);
    const archive = join(folder, 'context.tar.gz');
    execFileSync('tar', ['-czf', archive, '-C', folder, 'busybox', 'Dockerfile']);
    return readFileSync(archive);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
