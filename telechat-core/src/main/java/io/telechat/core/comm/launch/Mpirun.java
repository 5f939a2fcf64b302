// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.comm.launch;

import io.telechat.core.InvalidRequestException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The command that starts ranks: an argument list, no text for a shell, and only those variables that it needs. */
public final class Mpirun {
    private static final Set<String> VARIABLES = Set.of(
            "PATH",
            "HOME",
            "USER",
            "LOGNAME",
            "TMPDIR",
            "LANG",
            "LC_ALL",
            "LC_MESSAGES",
            "LD_LIBRARY_PATH",
            "SSH_AUTH_SOCK");

    private final Path program;
    private final boolean isOpenMpi;

    private Mpirun(Path program, boolean isOpenMpi) {
        this.program = program;
        this.isOpenMpi = isOpenMpi;
    }

    /** @throws InvalidRequestException if there is none on the path */
    public static Mpirun find() {
        Path found = path().orElseThrow(() -> new InvalidRequestException(
                "there is no mpirun for several ranks; install one, for example apt-get install openmpi-bin"));
        return new Mpirun(found, !version(found).contains("HYDRA"));
    }

    /** The first one on the path. */
    public static Optional<Path> path() {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(":"))
                .map(directory -> Path.of(directory, "mpirun"))
                .filter(Files::isExecutable)
                .findFirst();
    }

    private static String version(Path program) {
        try {
            Process process = new ProcessBuilder(program.toString(), "--version")
                    .redirectErrorStream(true)
                    .start();
            process.getOutputStream().close();
            return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new InvalidRequestException("%s cannot be run: %s", program, e.getMessage());
        }
    }

    /**
     * The arguments.
     *
     * @param hostfile where to start the ranks, in the form that mpirun reads; empty for this machine
     * @param sshPort of the hosts, if it is another one than usual
     * @param ranks how many
     * @param command of each
     */
    public List<String> command(Optional<Path> hostfile, Optional<Integer> sshPort, int ranks, List<String> command) {
        List<String> all = new ArrayList<>();
        if (Files.isExecutable(Path.of("/usr/bin/setsid"))) {
            all.add("/usr/bin/setsid"); // so that Ctrl-C comes to us alone
        }
        all.add(program.toString());
        all.addAll(List.of("-n", String.valueOf(ranks)));
        if (isOpenMpi) {
            all.addAll(List.of("--bind-to", "none", "--map-by", ":OVERSUBSCRIBE"));
            hostfile.ifPresent(file -> all.addAll(List.of("--hostfile", file.toString())));
            sshPort.ifPresent(port -> all.addAll(List.of("--mca", "plm_rsh_args", "-p " + port)));
        } else {
            all.addAll(List.of("-bind-to", "none"));
            hostfile.ifPresent(file -> all.addAll(List.of("-f", file.toString())));
        }
        all.addAll(command);
        return all;
    }

    /** Hosts as mpirun reads them. */
    public String hostfile(List<Host> hosts) {
        return hosts.stream()
                .map(h -> isOpenMpi
                        ? "%s slots=%d\n".formatted(h.name(), h.slots().size())
                        : "%s:%d\n".formatted(h.name(), h.slots().size()))
                .collect(Collectors.joining());
    }

    /** The variables of the environment. */
    public Map<String, String> environment() {
        Map<String, String> kept = new LinkedHashMap<>();
        System.getenv().forEach((name, value) -> {
            if (VARIABLES.contains(name) || name.matches("(OMPI|PRTE|PMIX|UCX|I_MPI|FI|CUDA|NCCL|TELECHAT)_.*")) {
                kept.put(name, value);
            }
        });
        if (System.getProperty("user.name").equals("root")) {
            // In containers there is no other user; who is root knows.
            kept.put("OMPI_ALLOW_RUN_AS_ROOT", "1");
            kept.put("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
            kept.put("PRTE_ALLOW_RUN_AS_ROOT", "1");
            kept.put("PRTE_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
        }
        return kept;
    }
}
