// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidInputException;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.comm.launch.Host;
import io.telechat.core.comm.launch.Mpirun;
import io.telechat.core.comm.launch.RankSupervisor;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;

/** Runs this very command on several ranks, each a process that {@code mpirun} starts, and waits for their end. */
final class RankLauncher {
    /** Not heard of for so many seconds, a rank is given up; it says that it lives every second. */
    private static final Duration SILENCE = Duration.ofSeconds(Integer.getInteger("telechat.rank.silence", 30));

    /** Bytes of stdin that are handed on at once. */
    private static final int PIECE = 8192;

    private final CommandSpec spec;
    private final HostOptions options;
    private final Path log;

    /**
     * @param spec of the command that the ranks run
     * @param log for what mpirun says
     */
    RankLauncher(CommandSpec spec, HostOptions options, Path log) {
        this.spec = spec;
        this.options = options;
        this.log = log;
    }

    /** For work that has no directory of its own: the log goes with it, unless something went wrong. */
    static int runWithoutDirectory(CommandSpec spec, HostOptions options, RankWork work) throws IOException {
        Path directory = Files.createTempDirectory("telechat-ranks-");
        Path log = directory.resolve("mpirun.log");
        int code = new RankLauncher(spec, options, log).run(work);
        if (code == ExitCode.OK) {
            Files.deleteIfExists(log);
            Files.deleteIfExists(directory);
        }
        return code;
    }

    /** For work that comes to a good end when it is asked to. */
    int run() {
        Beginning nothingToRead = supervisor -> {};
        return supervise(supervisor -> Interrupts.onFirst(supervisor::stop), nothingToRead, false);
    }

    /** For work that is fed and ended like this. */
    int run(RankWork work) {
        Handling handling = switch (work) {
            case DIALOG -> supervisor -> Interrupts.always(supervisor::stop, false);
            case INPUT, NO_INPUT -> supervisor -> Interrupts.always(supervisor::end, true);
            case SERVICE -> supervisor -> Interrupts.onFirst(supervisor::stop, RankWork.ENDING);
        };
        boolean reads = work == RankWork.DIALOG || work == RankWork.INPUT;
        Beginning beginning = supervisor -> {
            if (reads) {
                Thread.ofPlatform().daemon().name("telechat-input").start(() -> relay(supervisor));
            }
        };
        return supervise(handling, beginning, work == RankWork.SERVICE);
    }

    private interface Handling {
        Interrupts of(RankSupervisor supervisor);
    }

    private interface Beginning {
        void of(RankSupervisor supervisor);
    }

    /** @param endsWell whether work that was asked to end has come to a good end, and not to an early one */
    private int supervise(Handling handling, Beginning beginning, boolean endsWell) {
        List<Host> hosts = options.hosts();
        Mpirun mpirun = Mpirun.find();
        try {
            Optional<Path> hostfile = hosts.isEmpty() ? Optional.empty() : Optional.of(write(mpirun.hostfile(hosts)));
            if (!options.isDryRun()) { // or what is printed could not be run
                hostfile.ifPresent(file -> file.toFile().deleteOnExit());
            }
            List<String> command = mpirun.command(hostfile, options.sshPort(), options.count(), program(spec));
            if (options.isDryRun()) {
                command.forEach(System.out::println);
                return ExitCode.OK;
            }
            RankSupervisor supervisor =
                    new RankSupervisor(command, mpirun.environment(), SILENCE, log, System.err::println);
            try (Interrupts interrupts = handling.of(supervisor)) {
                beginning.of(supervisor);
                RankSupervisor.Outcome outcome = supervisor.run();
                outcome.message().ifPresent(m -> System.err.println("telechat: " + m.localized()));
                boolean cutShort = outcome.code() == ExitCode.OK && interrupts.came() && !endsWell;
                return cutShort ? interrupts.code() : outcome.code();
            }
        } catch (IOException e) {
            throw new InvalidInputException(e, "%s: cannot be written: %s", log.getParent(), IoReason.of(e));
        }
    }

    private static void relay(RankSupervisor supervisor) {
        try (InputStream in = StandardStreams.input()) {
            byte[] piece = new byte[PIECE];
            for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
                supervisor.input(Arrays.copyOf(piece, count));
            }
            supervisor.endInput();
        } catch (IOException e) {
            supervisor.endInput();
        }
    }

    private static Path write(String hosts) throws IOException {
        Path file = Files.createTempFile("telechat-hosts-", ".txt");
        return Files.writeString(file, hosts);
    }

    /** The command line of this process, as that of a rank. */
    private static List<String> program(CommandSpec spec) {
        List<String> command = new ArrayList<>(java());
        command.add(1, "-D" + RankProcess.PROPERTY + "=true");
        if (Terminals.isInput() && Terminals.isOutput()) {
            command.add(1, "-D" + RankProcess.DIALOG + "=true");
        }
        spec.root().commandLine().getParseResult().originalArgs().stream()
                .filter(argument -> !argument.equals("--dry-run"))
                .forEach(command::add);
        return command;
    }

    /** Java with this program, as this process was started. */
    static List<String> java() {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElse("java"));
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(argument ->
                        !argument.startsWith("-Dtelechat.tty.") && !argument.startsWith("-Dtelechat.stderr.fd"))
                .forEach(command::add);
        command.addAll(List.of(
                "-Dtelechat.tty.stdin=false",
                "-Dtelechat.tty.stdout=false",
                "-Dtelechat.tty.stderr=false",
                "-cp",
                System.getProperty("java.class.path"),
                TelechatCli.class.getName()));
        return command;
    }
}
