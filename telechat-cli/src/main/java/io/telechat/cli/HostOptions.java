// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.comm.launch.Host;
import io.telechat.core.comm.launch.Hostfile;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How many processes work together, and on which machines. */
final class HostOptions {
    /** No run has more. */
    static final int MOST = 65_536;

    @Option(
            names = "--ranks",
            paramLabel = "N",
            description = "processes on this machine, started by mpirun (default: 1)")
    private int ranks = 1;

    @Option(
            names = "--hostfile",
            paramLabel = "FILE",
            description = "machines to run on, a line each: node1 slots=8; # begins a comment")
    private Optional<Path> hostfile = Optional.empty();

    @Option(names = "--include", paramLabel = "HOSTS", description = "only these of the hosts, or slots: h1:0,2@h2")
    private Optional<String> include = Optional.empty();

    @Option(names = "--exclude", paramLabel = "HOSTS", description = "none of these hosts, or slots: h1:0,2@h2")
    private Optional<String> exclude = Optional.empty();

    @Option(names = "--num-nodes", paramLabel = "N", description = "the first so many hosts")
    private Optional<Integer> nodes = Optional.empty();

    @Option(names = "--num-gpus", paramLabel = "N", description = "the first so many slots of each")
    private Optional<Integer> slots = Optional.empty();

    @Option(
            names = "--ssh-port",
            paramLabel = "PORT",
            description = "of the hosts (default: what ssh is configured for)")
    private Optional<Integer> sshPort = Optional.empty();

    @Option(names = "--dry-run", description = "print the command that would be run, an argument a line, and end")
    private boolean dryRun;

    /** @throws InvalidRequestException if they contradict each other */
    void check() {
        Positive.check("--ranks", ranks);
        if (ranks > MOST) {
            throw new InvalidRequestException("%,d ranks are too many", ranks);
        }
        if (ranks > 1 && hostfile.isPresent()) {
            throw new InvalidRequestException("--ranks and --hostfile exclude each other");
        }
        boolean chooses = include.isPresent() || exclude.isPresent() || nodes.isPresent() || slots.isPresent();
        if (chooses && hostfile.isEmpty()) {
            throw new InvalidRequestException(
                    "--include, --exclude, --num-nodes and --num-gpus choose from a --hostfile");
        }
        if (dryRun && !startsProcesses()) {
            throw new InvalidRequestException(
                    "--dry-run: one process is not started by another; add --ranks or --hostfile");
        }
        nodes.ifPresent(n -> Positive.check("--num-nodes", n));
        slots.ifPresent(n -> Positive.check("--num-gpus", n));
    }

    /** Whether processes of their own are to be started. */
    boolean startsProcesses() {
        return ranks > 1 || hostfile.isPresent();
    }

    /** The hosts that take part; none is this machine. */
    List<Host> hosts() {
        return hostfile.map(
                        file -> Hostfile.first(Hostfile.choose(Hostfile.read(file), include, exclude), nodes, slots))
                .orElse(List.of());
    }

    /** How many ranks in all. */
    int count() {
        return hostfile.isPresent() ? Hostfile.ranks(hosts()) : ranks;
    }

    boolean hasHostfile() {
        return hostfile.isPresent();
    }

    Optional<Integer> sshPort() {
        return sshPort;
    }

    boolean isDryRun() {
        return dryRun;
    }
}
