// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.Message;
import io.telechat.core.checkpoint.JsonFiles;
import io.telechat.core.comm.launch.Host;
import io.telechat.core.comm.launch.Mpirun;
import io.telechat.core.model.MemoryPlan;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Whether a run can be started on some hosts: each is looked up, started on as a run would be, and asked what it has. Told is a line
 * for each on stdout.
 */
final class HostCheck {
    private static final int PATIENCE_SECONDS = 60;
    private static final long CLOCK_MILLIS = 60_000;

    private final Mpirun mpirun;
    private final Optional<Integer> sshPort;
    private final Path model;
    private final Path data;

    HostCheck(Mpirun mpirun, Optional<Integer> sshPort, Path model, Path data) {
        this.mpirun = mpirun;
        this.sshPort = sshPort;
        this.model = model;
        this.data = data;
    }

    /** @return the exit code */
    int run(List<Host> hosts) throws IOException {
        JsonNode here = HostReportCommand.report(model, data);
        int code = ExitCode.OK;
        for (Host host : hosts) {
            List<Message> problems = problems(host, here);
            if (problems.isEmpty()) {
                System.out.println(host.name() + ": ok");
            } else {
                code = ExitCode.RANK_FAILED;
                problems.forEach(problem -> System.out.println(host.name() + ": " + problem.localized()));
            }
        }
        return code;
    }

    private List<Message> problems(Host host, JsonNode here) throws IOException {
        try {
            InetAddress.getByName(host.name());
        } catch (UnknownHostException e) {
            return List.of(Message.of("its name cannot be resolved"));
        }
        Optional<JsonNode> answer = ask(host);
        return answer.isEmpty()
                ? List.of(Message.of(
                        "no telechat could be started there; try: ssh %s%s true",
                        sshPort.map(port -> "-p " + port + " ").orElse(""), host.name()))
                : compare(here, answer.get());
    }

    /** What the host answers, if it does. */
    private Optional<JsonNode> ask(Host host) throws IOException {
        Path hostfile = Files.createTempFile("telechat-host-", ".txt");
        try {
            Files.writeString(hostfile, mpirun.hostfile(List.of(host)));
            List<String> command = new ArrayList<>(RankLauncher.java());
            command.addAll(List.of("host-report", "--model-path", model.toString(), "--data-path", data.toString()));
            ProcessBuilder builder = new ProcessBuilder(mpirun.command(Optional.of(hostfile), sshPort, 1, command))
                    .redirectError(ProcessBuilder.Redirect.DISCARD);
            builder.environment().clear();
            builder.environment().putAll(mpirun.environment());
            Process process = builder.start();
            process.getOutputStream().close();
            Thread limit = Thread.ofPlatform().daemon().start(() -> endAfter(process));
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            limit.interrupt();
            return out.lines()
                    .filter(line -> line.startsWith("{"))
                    .findFirst()
                    .map(line -> JsonFiles.parse(host.name(), line));
        } finally {
            Files.delete(hostfile);
        }
    }

    private static void endAfter(Process process) {
        try {
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                process.destroy();
            }
        } catch (InterruptedException e) {
            return; // it has answered
        }
    }

    static List<Message> compare(JsonNode here, JsonNode there) {
        List<Message> problems = new ArrayList<>();
        for (String what : List.of("telechat", "java")) {
            if (!here.path(what).equals(there.path(what))) {
                problems.add(Message.of(
                        "has %s %s, this machine has %s",
                        what, there.path(what).asText(), here.path(what).asText()));
            }
        }
        for (String what : List.of("model", "data")) {
            if (there.has(what + "_error")) {
                problems.add(Message.of("%s", there.path(what + "_error").asText()));
            } else if (!here.path(what).equals(there.path(what))) {
                problems.add(Message.of("has another %s than this machine", what));
            }
        }
        if (there.path("memory").asLong() < here.path("memory").asLong() / 2) {
            problems.add(Message.of(
                    "has %s of memory, this machine has %s",
                    MemoryPlan.gib(there.path("memory").asLong()),
                    MemoryPlan.gib(here.path("memory").asLong())));
        }
        long apart = Math.abs(there.path("time").asLong() - here.path("time").asLong());
        if (apart > CLOCK_MILLIS + PATIENCE_SECONDS * 1000L) {
            problems.add(Message.of("its clock is %d s from this machine's", apart / 1000));
        }
        return problems;
    }
}
