// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.backend.Backend;
import io.telechat.core.backend.BackendProvider;
import io.telechat.core.backend.Backends;
import io.telechat.core.comm.launch.Mpirun;
import io.telechat.core.comm.mpi.MpiTransport;
import io.telechat.core.model.MemoryPlan;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code telechat doctor}. */
@Command(
        name = "doctor",
        description = "What telechat finds on this machine, which kernels it will use, and why.",
        mixinStandardHelpOptions = true)
final class DoctorCommand implements Callable<Integer> {
    private static final List<String> FEATURES = List.of(
            "avx",
            "avx2",
            "fma",
            "f16c",
            "avx512f",
            "avx512bw",
            "avx512_vnni",
            "avx512_bf16",
            "amx_tile",
            "asimd",
            "asimddp",
            "sve");

    @Option(names = "--json", description = "print one JSON object")
    private boolean json;

    @Mixin
    private GlobalOptions global;

    @Override
    public Integer call() {
        ObjectNode report = Json.object();
        report.put("telechat", VersionCommand.version());
        report.put(
                "java",
                System.getProperty("java.vm.name") + " " + Runtime.version() + ", " + System.getProperty("java.home"));
        report.put(
                "java_flags",
                String.join(" ", ManagementFactory.getRuntimeMXBean().getInputArguments()));
        report.put("system", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        report.put("processors", Runtime.getRuntime().availableProcessors());
        report.put("cpu", cpuInfo("model name").orElse("unknown"));
        report.put("cpu_features", cpuFeatures());
        report.put("memory", MemoryPlan.gib(MemoryPlan.machineMemory()));
        report.put("java_heap", MemoryPlan.gib(Runtime.getRuntime().maxMemory()));
        ObjectNode backends = report.putObject("backends");
        for (BackendProvider provider : Backends.providers()) {
            backends.put(provider.name(), describe(provider));
        }
        report.put("default_backend", defaultBackend());
        report.put("mpi", mpi());
        report.put("gpu", gpu());
        if (json) {
            System.out.println(report);
        } else {
            report.properties().forEach(field -> {
                if (field.getValue().isObject()) {
                    field.getValue()
                            .properties()
                            .forEach(inner -> System.out.printf(
                                    "%-18s %s%n",
                                    "backend " + inner.getKey(),
                                    inner.getValue().asText()));
                } else {
                    System.out.printf(
                            "%-18s %s%n",
                            field.getKey().replace('_', ' '), field.getValue().asText());
                }
            });
        }
        return ExitCode.OK;
    }

    private static String mpi() {
        Optional<Path> mpirun = Mpirun.path();
        if (mpirun.isEmpty()) {
            return "none: no mpirun on the PATH; needed for several processes only (apt-get install openmpi-bin)";
        }
        try {
            return "%s, %s".formatted(MpiTransport.version(), mpirun.get());
        } catch (InvalidRequestException e) {
            return "%s, but %s".formatted(mpirun.get(), e.getMessage());
        }
    }

    private static String describe(BackendProvider provider) {
        Optional<Message> reason = provider.unusableReason();
        if (reason.isPresent()) {
            return "not usable: " + reason.get();
        }
        try (Backend backend = provider.create(Runtime.getRuntime().availableProcessors())) {
            return "usable: " + backend.description();
        } catch (RuntimeException | LinkageError e) {
            return "not usable: " + rootCause(e);
        }
    }

    private static Throwable rootCause(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null && cause.getCause() != cause) {
            cause = cause.getCause();
        }
        return cause;
    }

    private static String defaultBackend() {
        return Backends.providers().stream()
                .filter(p -> p.unusableReason().isEmpty())
                .findFirst()
                .map(BackendProvider::name)
                .orElse("none");
    }

    private static Optional<String> cpuInfo(String key) {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith(key))
                    .findFirst()
                    .map(line -> line.substring(line.indexOf(':') + 1).strip());
        } catch (IOException | RuntimeException e) {
            return Optional.empty();
        }
    }

    private static String cpuFeatures() {
        List<String> all = Arrays.asList(
                cpuInfo("flags").or(() -> cpuInfo("Features")).orElse("").split(" "));
        return String.join(" ", FEATURES.stream().filter(all::contains).toList());
    }

    private static String gpu() {
        if (Files.exists(Path.of("/proc/driver/nvidia/version"))) {
            return "NVIDIA driver present; for sm_80 and later see backend cuda, for older ones the Maven profile cuda"
                    + " (ND4J)";
        }
        return "none found; the backend cuda has not been run on one yet";
    }
}
