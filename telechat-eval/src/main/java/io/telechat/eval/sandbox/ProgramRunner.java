// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.sandbox;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.html.Page;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/**
 * Runs Python programs that a model wrote: each in a process and an empty directory of its own, with limits, and unless
 * the user does without, in a sandbox: no network, no files of the machine but the system's and the interpreter's
 * (read-only), no other process in sight. A program passes if it runs past its last line; leaving early in any way, or
 * calling what HumanEval forbids, is a failure. Text hashes are the same in each run, so that sets have one order.
 */
public final class ProgramRunner {
    private static final String SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private final Python python;
    private final Optional<Enclosure> enclosure;
    private final Limits limits;

    private ProgramRunner(Python python, Optional<Enclosure> enclosure, Limits limits) {
        this.python = python;
        this.enclosure = enclosure;
        this.limits = limits;
    }

    /**
     * Runs programs in a sandbox.
     *
     * @param python command or path of the interpreter
     * @throws InvalidRequestException where there is no such interpreter or no sandbox can be had
     */
    public static ProgramRunner sandboxed(String python, Limits limits) {
        return enclosed(Python.find(python), limits, List.of(Enclosure.OF_ROOT, Enclosure.OF_USER));
    }

    /**
     * Runs programs with nothing but the limits between them and all that the user may do: for those who know each
     * program, or are in a container that is the sandbox.
     *
     * @param python command or path of the interpreter
     * @throws InvalidRequestException where there is no such interpreter
     */
    public static ProgramRunner unsafe(String python, Limits limits) {
        return new ProgramRunner(Python.find(python), Optional.empty(), limits).tried();
    }

    /** With the first enclosure that works. */
    static ProgramRunner enclosed(Python python, Limits limits, List<Enclosure> enclosures) {
        Exception problem = null;
        for (Enclosure enclosure : enclosures) {
            try {
                return new ProgramRunner(python, Optional.of(enclosure), limits).tried();
            } catch (InvalidRequestException e) {
                problem = e;
            } catch (UncheckedIOException e) {
                problem = e.getCause(); // no such tool
            }
        }
        throw Enclosure.refusal(problem);
    }

    private ProgramRunner tried() {
        Verdict empty = new ProgramRunner(python, enclosure, limits.withTime(Execution.START)).run("");
        if (!empty.passed()) {
            throw new InvalidRequestException("not even an empty program passes: %s", empty.reason());
        }
        return this;
    }

    /** Runs {@code program} and waits for its end. */
    public Verdict run(String program) {
        if (!isText(program)) {
            return new Verdict(false, "failed: half a surrogate pair is no text", 0);
        }
        try {
            return enclosure.isPresent() ? execute(program, Path.of("/")) : inFreshDirectory(program);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs programs side by side, as many as there are processors. */
    public List<Verdict> runAll(List<String> programs) {
        int processors = Runtime.getRuntime().availableProcessors();
        try (ExecutorService workers = Executors.newFixedThreadPool(processors)) {
            List<Future<Verdict>> running = new ArrayList<>();
            for (String program : programs) {
                running.add(workers.submit(() -> run(program)));
            }
            List<Verdict> verdicts = new ArrayList<>();
            try {
                for (Future<Verdict> verdict : running) {
                    verdicts.add(verdict.get());
                }
            } catch (InterruptedException e) {
                throw Execution.interrupted(e);
            } catch (ExecutionException e) {
                throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e);
            } finally {
                workers.shutdownNow();
            }
            return verdicts;
        }
    }

    private Verdict execute(String program, Path directory) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command()).directory(directory.toFile());
        Map<String, String> environment = builder.environment();
        String path = environment.getOrDefault("PATH", "");
        environment.clear();
        environment.put("PATH", path + ":" + SYSTEM_PATH); // for the tools; the program's is the system's
        environment.put("LC_ALL", "C");
        environment.put("PYTHONHASHSEED", "0");
        return Execution.of(builder, enclosure.isPresent(), program, limits.time());
    }

    private List<String> command() {
        List<String> command = new ArrayList<>(List.of(python.executable(), "-s", "-B", "-X", "utf8", "-c"));
        command.add(Page.resource(ProgramRunner.class, "driver.py"));
        command.add(Long.toString(limits.memoryBytes()));
        command.add(Long.toString(limits.fileBytes()));
        // All that the user runs would count outside a namespace.
        command.add(Integer.toString(enclosure.isPresent() ? limits.processes() : 0));
        command.add(Long.toString(limits.processorSeconds()));
        return enclosure.isPresent() ? enclosure.get().around(command, python.files(), limits) : command;
    }

    private Verdict inFreshDirectory(String program) throws IOException {
        Path directory = Files.createTempDirectory("telechat-program-");
        try {
            return execute(program, directory);
        } finally {
            try (Stream<Path> files = Files.walk(directory)) {
                files.sorted(Comparator.reverseOrder())
                        .forEach(file -> file.toFile().delete());
            }
        }
    }

    private static boolean isText(String program) {
        return program.codePoints().noneMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
    }
}
