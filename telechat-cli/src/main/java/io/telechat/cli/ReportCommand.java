// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.train.report.RunReportPage;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code telechat report}. */
@Command(
        name = "report",
        description = "Write a page of HTML with the charts of one training run, or of several to compare.",
        mixinStandardHelpOptions = true)
final class ReportCommand implements Callable<Integer> {
    private static final String FILE = "report.html";

    @Parameters(paramLabel = "RUN", arity = "1..*", description = "output directory of train")
    private List<Path> runs;

    @Option(names = "--out", paramLabel = "FILE", description = "(default: report.html in the first RUN)")
    private Optional<Path> out = Optional.empty();

    @Option(names = "--log-loss", description = "draw the loss on a logarithmic axis")
    private boolean logarithmicLoss;

    @Mixin
    private GlobalOptions global;

    @Override
    public Integer call() {
        RunReportPage page = RunReportPage.of(runs, logarithmicLoss);
        Path file = out.orElse(runs.getFirst().resolve(FILE));
        OutputFiles.check(file);
        page.write(file);
        if (!global.quiet) {
            System.out.println(file);
        }
        return ExitCode.OK;
    }
}
