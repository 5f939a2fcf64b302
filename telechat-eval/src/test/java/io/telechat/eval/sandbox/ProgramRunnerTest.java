// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.telechat.core.InvalidRequestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which programs pass, and what is said of the others. What keeps them in is {@link SandboxTest}'s. */
class ProgramRunnerTest {
    private static ProgramRunner runner;
    private static ProgramRunner hasty;

    @BeforeAll
    static void find() {
        runner = Sandboxes.sandboxed(Limits.DEFAULT);
        hasty = Sandboxes.sandboxed(Sandboxes.within(300));
    }

    @Test
    void passes() {
        List<String> programs = List.of(
                "",
                "x = 1",
                "# coding: latin-1\nassert len('é') == 1",
                "assert len('\uD83D\uDE00') == 1\r\nprint('\uD83D\uDE00', '中')",
                "print('x' * 10_000_000)",
                "import sys; sys.stdout.close(); sys.stderr.close()",
                "import os; os.close(0); os.close(1); os.close(2)",
                "import sys; assert sys.stdin.read() == ''",
                "try:\n  input()\n  assert False\nexcept EOFError: pass",
                "import atexit, os; atexit.register(os._exit, 7)",
                "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start()",
                "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.raise_signal(signal.SIGTERM)",
                "import sys; sys.setrecursionlimit(20000)\ndef f(n): return n and f(n - 1)\nf(10000)",
                // The reference's name space is empty: a script's last part is not run.
                "if __name__ == '__main__': raise SystemExit",
                "import sys; assert sys.argv == [''] and '' not in sys.path",
                "import math, re, json, hashlib, random, tempfile, typing, collections, asyncio, ctypes, threading",
                "from dataclasses import dataclass\n@dataclass\nclass P:\n  x: 'int' = 1\nassert P().x == 1",
                "open('own.txt', 'w').write('x'); assert open('own.txt').read() == 'x'",
                "open('/tmp/own.txt', 'w').write('x'); assert open('/tmp/own.txt').read() == 'x'",
                "import os; assert os.listdir('.') == [] and 'PATH' in os.environ and len(os.environ) == 6",
                "open('/dev/null', 'w').write('x'); assert len(open('/dev/urandom', 'rb').read(8)) == 8");
        Sandboxes.each(runner, programs, (program, verdict) -> assertEquals("passed", verdict.reason(), program));
    }

    @Test
    void fails() {
        List<String> programs = List.of(
                "assert False",
                "def f(:",
                "raise BaseException",
                "raise KeyboardInterrupt",
                "exit()",
                "quit()",
                "import sys; sys.exit(0)",
                "raise SystemExit",
                "import os; os._exit(0)",
                "print('passed'); import os; os._exit(0)",
                "import os; os.abort()",
                "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
                "import signal; signal.raise_signal(signal.SIGKILL)",
                "import ctypes; ctypes.string_at(0)",
                "x = '\0'",
                "\uFEFFx = 1",
                "x = '\uD800'",
                "(" + "(((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((",
                "def f(): f()\nf()",
                "import os; os.execv('/bin/true', ['true'])",
                "import os; os.fork()",
                "import os; os.rename('a', 'b')",
                "import shutil; shutil.rmtree('/')",
                "import subprocess; subprocess.check_output(['true'])",
                "import resource",
                "import os; os.getcwd()",
                // What it makes of its failure must not become the verdict.
                "class E(Exception):\n  def __str__(self): raise SystemExit(0)\nraise E",
                "class E(Exception):\n  def __str__(self):\n    import os; os._exit(0)\nraise E",
                "class S(str):\n"
                        + "  def __radd__(self, other): return other + ' passed'\n"
                        + "  def encode(self, *a): return b' passed\\n"
                        + "'\n"
                        + "class E(Exception):\n"
                        + "  def __str__(self): return S('x')\n"
                        + "raise E");
        Sandboxes.each(runner, programs, (program, verdict) -> {
            assertFalse(verdict.passed(), program);
            assertFalse(verdict.reason().contains("\n"), verdict.reason());
        });
    }

    @Test
    void isEndedWhenItsTimeIsOver() {
        List<String> programs = List.of(
                "while True: pass",
                "import time; time.sleep(60)",
                "while True: print('x' * 1000)",
                "10 ** 10 ** 10",
                "while True:\n  try:\n    while True: pass\n  except BaseException: pass",
                "import signal, time\n"
                        + "for s in range(1, 32):\n"
                        + "  if s not in (9, 19): signal.signal(s, signal.SIG_IGN)\n"
                        + "time.sleep(60)",
                "import os, signal; signal.raise_signal(signal.SIGSTOP)",
                "import threading\nt = threading.Thread(target=threading.Event().wait); t.start(); t.join()",
                "class E(Exception):\n  def __str__(self):\n    while True: pass\nraise E");
        Sandboxes.each(hasty, programs, (program, verdict) -> {
            assertEquals("timed out", verdict.reason(), program);
            assertTrue(verdict.seconds() >= 0.3, verdict.toString());
        });
    }

    /** All that pure Python can look at: frames, collected objects and what they refer to, descriptors. */
    @Test
    void cannotForgeAVerdict() {
        List<String> programs = List.of(
                """
                import gc, re, sys
                seen, stack = set(), [sys._current_frames(), gc.get_objects(), sys.modules]
                frame = sys._getframe()
                while frame:
                    stack += [frame, dict(frame.f_locals), dict(frame.f_globals), frame.f_code]
                    frame = frame.f_back
                found = set()
                while stack:
                    o = stack.pop()
                    if id(o) in seen or o is stack or o is seen or o is found: continue
                    seen.add(id(o))
                    if isinstance(o, str): o = o.encode("utf-8", "replace")
                    if isinstance(o, bytes):
                        found.update(re.findall(rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", o))
                    else:
                        stack += gc.get_referents(o)
                import os
                for fd in range(3, 64):
                    for token in found:
                        try: os.write(fd, token + b" passed\\n")
                        except OSError: break
                os._exit(0)
                """,
                """
                import os
                for fd in range(64):
                    try: os.write(fd, b"ready\\n passed\\n")
                    except OSError: pass
                    os.set_blocking(fd, False) if fd < 3 else None
                    try: os.write(3, os.read(fd, 32) + b" passed\\n")
                    except OSError: pass
                os._exit(0)
                """,
                "import os\nfor name in '/proc/self/mem', '/proc/self/cmdline', '/proc/1/environ': open(name)",
                "import os\nwhile True: os.write(3, b'x' * 4096)");
        Sandboxes.each(runner, programs, (program, verdict) -> {
            assertFalse(verdict.passed(), program);
            assertTrue(verdict.reason().startsWith("failed"), verdict.reason());
        });
    }

    /** Though the pipe is full, into which unshare says that its program was killed. */
    @Test
    void whoWritesWithoutEndIsGoneAtOnce() {
        assertTimeout(Duration.ofSeconds(8), () -> runner.run("import os\nwhile True: os.write(3, b'x' * 4096)"));
    }

    @Test
    void saysWhy() {
        assertEquals("failed: KeyError: 'a'", runner.run("{}['a']").reason());
        assertEquals(
                "failed: ValueError: a b",
                runner.run("raise ValueError('a\\n b')").reason());
        assertEquals(
                "failed: it ended before its last line",
                runner.run("import os; os._exit(0)").reason());
        assertEquals(
                "killed by signal 11",
                runner.run("import ctypes; ctypes.string_at(0)").reason());
    }

    @Test
    void longProgramsArriveWhole() {
        String padding = "# 中".repeat(200_000) + "\n";
        assertEquals(
                "failed: NameError: name 'last' is not defined",
                runner.run(padding + "last").reason());
    }

    @Test
    void setsOfTextHaveOneOrder() {
        String program = "raise ValueError([list({'a', 'b', 'c', 'd', 'e', 'f', 'g'}), hash('x')])";
        assertEquals(runner.run(program).reason(), runner.run(program).reason());
    }

    @Test
    void runsSideBySideAndKeepsTheOrder() {
        List<String> programs = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            programs.add("raise ValueError(" + i + ")");
        }
        List<Verdict> verdicts = runner.runAll(programs);
        for (int i = 0; i < programs.size(); i++) {
            assertEquals("failed: ValueError: " + i, verdicts.get(i).reason());
        }
        assertEquals(List.of(), runner.runAll(List.of()));
    }

    @Test
    void anInterruptEndsTheProgram() throws InterruptedException {
        List<Throwable> thrown = Collections.synchronizedList(new ArrayList<>());
        Thread thread = Thread.ofPlatform()
                .uncaughtExceptionHandler((t, e) -> thrown.add(e))
                .start(() -> runner.run("import time; time.sleep(60)"));
        thread.interrupt();
        thread.join();
        assertEquals(CancellationException.class, thrown.getFirst().getClass());
    }

    @Test
    void aVirtualEnvironmentWorks(@TempDir Path folder) throws IOException, InterruptedException {
        Process venv = new ProcessBuilder("python3", "-m", "venv", "--without-pip", folder.toString())
                .inheritIO()
                .start();
        assumeTrue(venv.waitFor() == 0, "this Python makes no environments");
        folder.toFile().setExecutable(true, false);
        folder.toFile().setReadable(true, false);
        ProgramRunner inVenv = ProgramRunner.sandboxed(folder + "/bin/python", Limits.DEFAULT);
        assertEquals(
                "passed",
                inVenv.run("import sys; assert sys.prefix == '" + folder + "' != sys.base_prefix")
                        .reason());
    }

    @Test
    void withoutPythonItSaysSo() {
        Exception missing = assertThrows(
                InvalidRequestException.class, () -> ProgramRunner.sandboxed("no-such-python", Limits.DEFAULT));
        assertTrue(missing.getMessage().contains("there is no no-such-python"), missing.getMessage());
        for (String other : List.of("echo", "true", "false")) {
            Exception wrong =
                    assertThrows(InvalidRequestException.class, () -> ProgramRunner.sandboxed(other, Limits.DEFAULT));
            assertTrue(wrong.getMessage().startsWith(other), wrong.getMessage());
        }
    }

    @Test
    void withoutASandboxItRefuses() {
        String none = "echo 0 > /proc/sys/user/max_user_namespaces; exec unshare \"$@\"";
        Map<String, List<String>> lacking = Map.of(
                "\"no-such-unshare\"", List.of("no-such-unshare"),
                "exit 1", List.of("false"),
                "unshare: unrecognized option", List.of("unshare", "--no-such-option"),
                "mount: ", List.of("unshare", "--user"),
                "unshare failed", List.of("unshare", "--user", "--map-root-user", "sh", "-c", none, "sh"));
        Python python = Python.find("python3");
        lacking.forEach((why, unshare) -> {
            Exception e = assertThrows(
                    InvalidRequestException.class,
                    () -> ProgramRunner.enclosed(python, Limits.DEFAULT, List.of(new Enclosure(unshare, ""))));
            assertTrue(e.getMessage().startsWith("generated programs are not run"), e.getMessage());
            assertTrue(e.getMessage().contains(why), why + " in: " + e.getMessage());
        });
    }

    @Test
    void withoutOneByRequestThereAreStillTheLimits() throws IOException {
        ProgramRunner unsafe = Sandboxes.unsafe(Sandboxes.within(1000));
        List<Path> before = left();
        assertEquals("passed", unsafe.run("open('x', 'w').write('x')").reason());
        assertEquals("timed out", unsafe.run("while True: pass").reason());
        assertEquals("failed: MemoryError:", unsafe.run("bytearray(5 << 30)").reason());
        assertFalse(unsafe.run("import os; os._exit(0)").passed());
        assertEquals(before, left());
    }

    private static List<Path> left() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return files.filter(f -> f.getFileName().toString().startsWith("telechat-program-"))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void limitsThatLeaveNothingAreRefused() {
        assertThrows(InvalidRequestException.class, () -> Sandboxes.within(0));
        assertThrows(InvalidRequestException.class, () -> new Limits(Limits.DEFAULT.time(), 1, 1, 1));
    }
}
