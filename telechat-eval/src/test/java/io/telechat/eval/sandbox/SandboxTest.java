// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a program cannot do to the machine. Each one passes if it was kept in. */
class SandboxTest {
    /** Raises unless what follows is refused. */
    private static final String REFUSED = """
        def refused(f, *a):
            try: r = f(*a)
            except OSError: return
            raise AssertionError((a, r))
        """;

    private static final String LIBC = """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        """;

    private static final AtomicInteger NUMBER = new AtomicInteger();

    private static ProgramRunner runner;
    private static Optional<ProgramRunner> ofUser;

    @BeforeAll
    static void find() {
        runner = Sandboxes.sandboxed(Limits.DEFAULT);
        ofUser = Sandboxes.sandboxedOfUser(Limits.DEFAULT);
    }

    /** Whoever runs them: root, or a user without any privilege. */
    private static void assertPass(String before, List<String> programs) {
        List<String> whole = programs.stream().map(before::concat).toList();
        Stream.concat(Stream.of(runner), ofUser.stream())
                .forEach(one -> Sandboxes.each(
                        one, whole, (program, verdict) -> assertEquals("passed", verdict.reason(), program)));
    }

    @Test
    void isRefused() {
        List<String> programs = List.of(
                // Only its directory can be written.
                "for f in '/x', '/usr/x', '/etc/passwd', '/usr/bin/env', '/dev/x', '/bin/x': refused(open, f, 'w')",
                "import os\nrefused(os.mkdir, '/x'); refused(os.utime, '/usr'); refused(os.symlink, '/', '/usr/x')",
                "import os\nfor f in '/proc', '/sys', '/run', '/var', '/boot', '/srv': assert not os.path.lexists(f)",
                "refused(open, '/etc/shadow'); refused(open, '/etc/ssh/sshd_config')",
                "import posix\n"
                        + "assert not [f for f in posix.listdir('/dev') if f not in 'null zero full random"
                        + " urandom'.split()]",
                "import posix\n"
                        + "for f in '/usr/bin/env', '/etc/passwd': refused(posix.unlink, f); refused(posix.chmod, f,"
                        + " 0o777)",
                // No network, not even the machine's own.
                "import socket\n"
                        + "refused(socket.create_connection, ('127.0.0.1', 22), 1)\n"
                        + "refused(socket.create_connection, ('192.0.2.1', 80), 1)\n"
                        + "refused(socket.getaddrinfo, 'example.org', 80)\n"
                        + "assert [n for _, n in socket.if_nameindex()] == ['lo']",
                // No other process.
                "import posix\n"
                        + "refused(posix.kill, 2**22 - 1, 9)\n"
                        + "assert posix.getpid() < 1000 and posix.getppid() < 1000",
                // No privilege, and no way to one.
                "import os\n"
                        + "assert os.getuid() == os.geteuid() == os.getgid() == 65534\n"
                        + "refused(os.setgroups, []); refused(os.seteuid, 0)");
        assertPass(REFUSED, programs);
    }

    @Test
    void theKernelRefusesToo() {
        List<String> programs = List.of(
                "assert libc.mount(b'none', b'/sandbox', b'tmpfs', 0, None) == -1",
                "assert libc.mount(None, b'/usr', None, 32 | 4096, None) == -1 # remount it for writing",
                "assert libc.umount2(b'/usr', 2) == -1",
                "assert libc.chroot(b'.') == -1",
                "assert libc.unshare(0x10000000) == -1 # a user namespace",
                "assert libc.unshare(0x20000) == -1 # a mount namespace",
                "assert libc.setuid(0) == -1 and libc.setgid(0) == -1",
                "assert libc.sethostname(b'x', 1) == -1",
                "r = (ctypes.c_long * 2)(1 << 40, 1 << 40); assert libc.setrlimit(9, r) == -1",
                "assert libc.prctl(39, 0, 0, 0, 0) == 1 # no new privileges");
        assertPass(LIBC, programs);
    }

    @Test
    void ownFilesAreOutOfSight(@TempDir Path folder) throws IOException {
        Path secret = Files.writeString(folder.resolve("secret.txt"), "secret");
        for (Path file : List.of(secret, Path.of("pom.xml").toAbsolutePath())) {
            assertTrue(Files.exists(file));
            assertTrue(runner.run("open('" + file + "')").reason().startsWith("failed: FileNotFoundError"));
        }
        assertFalse(runner.run("open('" + secret + "', 'w')").passed());
        assertEquals("secret", Files.readString(secret));
    }

    @Test
    void serversOfThisMachineAreOutOfReach() throws IOException {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Verdict verdict =
                    runner.run("import socket; socket.create_connection(('127.0.0.1', " + server.getLocalPort() + "))");
            assertTrue(verdict.reason().startsWith("failed: OSError: [Errno 101]"), verdict.reason());
        }
    }

    @Test
    void noProgramSeesWhatAnotherWrote() {
        assertEquals("passed", runner.run("open('/tmp/left', 'w').write('x')").reason());
        assertTrue(runner.run("open('/tmp/left')").reason().startsWith("failed: FileNotFoundError"));
    }

    /** What is mounted within the system's directories is as read-only as they are. */
    @Test
    void mountsWithinAreReadOnlyToo() {
        assumeTrue(System.getProperty("user.name").equals("root"), "it takes root to mount something");
        String mount = "mount -t tmpfs -o mode=777 tmpfs /usr/share; mkdir '/usr/share/a b';"
                + " mount -t tmpfs -o mode=777 tmpfs '/usr/share/a b'; exec \"$@\"";
        for (Enclosure enclosure : List.of(Enclosure.OF_ROOT, Enclosure.OF_USER)) {
            List<String> unshare = new ArrayList<>(List.of("unshare", "--mount", "sh", "-c", mount, "sh"));
            unshare.addAll(enclosure.unshare());
            ProgramRunner within = ProgramRunner.enclosed(
                    Python.find("python3"), Limits.DEFAULT, List.of(new Enclosure(unshare, enclosure.identity())));
            assertEquals(
                    "passed",
                    within.run(REFUSED + "for f in '/usr/share/x', '/usr/share/a b/x': refused(open, f, 'w')")
                            .reason());
        }
    }

    /** A root whose files are their own by default shows the system's to nobody all the same. */
    @Test
    void worksUnderAnyUmask() {
        ProgramRunner.enclosed(Python.find("python3"), Limits.DEFAULT, Sandboxes.under("umask 077"));
    }

    @Test
    void memoryHasALimit() {
        assertEquals("failed: MemoryError:", runner.run("bytearray(4 << 30)").reason());
        ProgramRunner small = Sandboxes.sandboxed(new Limits(Limits.DEFAULT.time(), 128L << 20, 1 << 20, 64));
        assertEquals(
                "failed: MemoryError:",
                small.run("x = []\nwhile True: x.append('y' * 100000 + str(len(x)))")
                        .reason());
    }

    @Test
    void filesHaveALimit() {
        List<String> programs = List.of(
                "f = open('x', 'wb')\nwhile True: f.write(b'x' * 100000)",
                "i = 0\nwhile True:\n  i += 1\n  open(str(i), 'wb').write(b'x' * 300000)",
                "i = 0\nwhile True:\n  i += 1\n  open(str(i), 'wb')",
                "f = []\nwhile True: f.append(open('/dev/null'))",
                "import os; os.posix_fallocate(os.open('x', os.O_CREAT | os.O_RDWR), 0, 1 << 40)");
        ProgramRunner small = Sandboxes.sandboxed(new Limits(Limits.DEFAULT.time(), 1L << 30, 1 << 20, 64));
        Sandboxes.each(
                small,
                programs,
                (program, verdict) -> assertTrue(
                        verdict.reason().matches("failed: OSError: .*|killed by signal 25"), verdict.reason()));
    }

    @Test
    void processesHaveALimit() {
        ProgramRunner few = Sandboxes.sandboxed(new Limits(Limits.DEFAULT.time(), 4L << 30, 1 << 20, 8));
        String threads =
                "import threading\nfor i in range(%d): threading.Thread(target=threading.Event().wait).start()";
        assertEquals("passed", few.run(threads.formatted(7)).reason());
        assertEquals(
                "failed: RuntimeError: can't start new thread",
                few.run(threads.formatted(8)).reason());
        String forks = """
            import ctypes, time
            for n in range(99):
                pid = ctypes.CDLL(None).fork()
                if pid == 0: time.sleep(9)
                if pid < 0: break
            raise ValueError(n)
            """;
        assertEquals("failed: ValueError: 7", few.run(forks).reason());
    }

    /** Processes that outlive the program, in a session of their own, one that ignores what can be ignored. */
    @Test
    void nothingIsLeftRunning() {
        for (boolean ends : new boolean[] {true, false}) {
            String mark = "61." + (100_000 + NUMBER.getAndIncrement())
                    + ProcessHandle.current().pid();
            String program = """
                import os, time
                os.posix_spawn('/bin/sh', ['sh', '-c', 'trap "" HUP TERM INT; sleep %s & sleep %s'], {}, setsid=True)
                time.sleep(%s)
                """.formatted(mark, mark, ends ? "0.1" : "60");
            ProgramRunner runner = ends ? SandboxTest.runner : Sandboxes.sandboxed(Sandboxes.within(300));
            assertEquals(ends ? "passed" : "timed out", runner.run(program).reason());
            assertEquals(List.of(), running(mark));
        }
    }

    private static List<String> running(String mark) {
        try (Stream<ProcessHandle> all = ProcessHandle.allProcesses()) {
            return all.map(p -> p.info().commandLine().orElse(""))
                    .filter(line -> line.contains(mark))
                    .toList();
        }
    }

    @Test
    void aForkBombIsOverWithItsTime() {
        ProgramRunner hasty = Sandboxes.sandboxed(Sandboxes.within(500));
        String bomb = "import ctypes\nlibc = ctypes.CDLL(None)\nlibc.setsid()\nwhile True: libc.fork()";
        assertEquals("timed out", hasty.run(bomb).reason());
        assertEquals("passed", hasty.run("").reason());
    }
}
