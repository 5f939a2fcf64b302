// SPDX-License-Identifier: Apache-2.0
package io.telechat.cli;

import io.telechat.core.InvalidRequestException;
import io.telechat.eval.EvalResults;
import io.telechat.eval.report.Comparison;
import io.telechat.eval.report.ReportPage;
import io.telechat.eval.report.ResultsTable;
import io.telechat.train.report.RunReportPage;
import java.nio.file.Files;
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
        description =
                "Write a page of HTML: the charts of one training run, or of several to compare; the scores and samples"
                        + " of an evaluation; or how two evaluations differ, and how significantly.",
        mixinStandardHelpOptions = true)
final class ReportCommand implements Callable<Integer> {
    static final String FILE = "report.html";
    private static final String COMPARISON_FILE = "comparison.html";

    @Parameters(paramLabel = "RUN", arity = "1..*", description = "output directory of train or eval")
    private List<Path> runs;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            description = "(default: report.html in the first RUN; of two evaluations, comparison.html in the second)")
    private Optional<Path> out = Optional.empty();

    @Option(names = "--log-loss", description = "training: draw the loss on a logarithmic axis")
    private boolean logarithmicLoss;

    @Option(names = "--json", description = "evaluations: print the figures as JSON, not as a table")
    private boolean json;

    @Mixin
    private GlobalOptions global;

    @Override
    public Integer call() {
        List<Path> evaluations = runs.stream()
                .filter(run -> Files.isRegularFile(EvalResults.file(run)))
                .toList();
        if (evaluations.isEmpty()) {
            training();
        } else if (evaluations.size() < runs.size() || runs.size() > 2) {
            throw new InvalidRequestException(
                    "%s is an evaluation: give it alone, or with one other to compare", evaluations.getFirst());
        } else if (logarithmicLoss) {
            throw new InvalidRequestException("%s is for training runs, not for evaluations", "--log-loss");
        } else if (runs.size() == 1) {
            evaluation(runs.getFirst());
        } else {
            comparison(runs.getFirst(), runs.getLast());
        }
        return ExitCode.OK;
    }

    private void training() {
        if (json) {
            throw new InvalidRequestException("%s is for evaluations, not for training runs", "--json");
        }
        RunReportPage page = RunReportPage.of(runs, logarithmicLoss);
        Path file = checked(runs.getFirst().resolve(FILE));
        page.write(file);
        if (!global.quiet) {
            System.out.println(file);
        }
    }

    private void evaluation(Path run) {
        EvalResults results = EvalResults.read(run);
        Path file = checked(run.resolve(FILE));
        ReportPage.of(run).write(file);
        print(json ? results.json().toString() : ResultsTable.of(results), file);
    }

    private void comparison(Path first, Path second) {
        Comparison comparison = Comparison.of(first, second);
        Path file = checked(second.resolve(COMPARISON_FILE));
        comparison.page().write(file);
        print(json ? comparison.json().toString() : comparison.text(), file);
    }

    private Path checked(Path usual) {
        Path file = out.orElse(usual);
        OutputFiles.check(file);
        return file;
    }

    private void print(String figures, Path file) {
        if (json) {
            System.out.println(figures);
        } else if (!global.quiet) {
            System.out.println(figures);
            System.out.println(file);
        }
    }
}
