// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidInputException;
import io.telechat.core.checkpoint.IoReason;
import io.telechat.core.comm.launch.Host;
import io.telechat.core.comm.launch.Mpirun;
import io.telechat.core.comm.launch.RankSupervisor;
import io.telechat.train.TrainConfig;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;

/** Runs this very command on several ranks, each a process that {@code mpirun} starts, and waits for their end. */
final class RankLauncher {
    /** Not heard of for so many seconds, a rank is given up; it says that it lives every second. */
    private static final Duration SILENCE = Duration.ofSeconds(Integer.getInteger("telechat.rank.silence", 30));

    private RankLauncher() {}

    /**
     * @param config of the run, in whose output directory the logs go
     * @return the exit code
     */
    static int run(CommandSpec spec, RankOptions options, TrainConfig config) {
        List<Host> hosts = options.hosts();
        Mpirun mpirun = Mpirun.find();
        Path directory = config.output();
        try {
            if (options.checksHosts()) {
                return new HostCheck(mpirun, options.sshPort(), config.model(), config.data()).run(hosts);
            }
            Optional<Path> hostfile = hosts.isEmpty() ? Optional.empty() : Optional.of(write(mpirun.hostfile(hosts)));
            List<String> command = mpirun.command(hostfile, options.sshPort(), options.count(), program(spec));
            if (options.isDryRun()) {
                command.forEach(System.out::println);
                return ExitCode.OK;
            }
            RankSupervisor supervisor = new RankSupervisor(
                    command, mpirun.environment(), SILENCE, directory.resolve("logs/mpirun.log"), System.err::println);
            try (Interrupts interrupts = Interrupts.onFirst(supervisor::stop)) {
                RankSupervisor.Outcome outcome = supervisor.run();
                outcome.message().ifPresent(m -> System.err.println("telechat: " + m.localized()));
                return outcome.code() == ExitCode.OK && interrupts.came() ? interrupts.code() : outcome.code();
            }
        } catch (IOException e) {
            throw new InvalidInputException(e, "%s: cannot be written: %s", directory, IoReason.of(e));
        }
    }

    private static Path write(String hosts) throws IOException {
        Path file = Files.createTempFile("telechat-hosts-", ".txt");
        file.toFile().deleteOnExit();
        return Files.writeString(file, hosts);
    }

    /** The command line of this process, as that of a rank. */
    private static List<String> program(CommandSpec spec) {
        List<String> command = new ArrayList<>(java());
        command.add(1, "-D" + RankProcess.PROPERTY + "=true");
        command.addAll(spec.root().commandLine().getParseResult().originalArgs());
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
