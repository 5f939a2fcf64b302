// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "io.telechat.eval", importOptions = ImportOption.DoNotIncludeTests.class)
class EvalRulesTest {
    @ArchTest
    static final ArchRule knowsNothingOfTrainingServersAndCommands = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.telechat.train..", "io.telechat.server..", "io.telechat.cli..", "org.nd4j..");

    @ArchTest
    static final ArchRule packagesHaveNoCycles =
            slices().matching("io.telechat.eval.(*)..").should().beFreeOfCycles();

    /** Tasks of one style neither know those of another nor who answers. */
    @ArchTest
    static final ArchRule tasksKnowNothingOfRuns = noClasses()
            .that()
            .resideInAnyPackage("io.telechat.eval.lmeval", "io.telechat.eval.opencompass", "io.telechat.eval.custom")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "io.telechat.eval",
                    "io.telechat.eval.judge",
                    "io.telechat.eval.model",
                    "io.telechat.eval.report",
                    "io.telechat.eval.run",
                    "io.telechat.eval.sandbox");

    /** Files, texts, formulas and programs can be used by themselves. */
    @ArchTest
    static final ArchRule toolsKnowNothingOfBenchmarks = noClasses()
            .that()
            .resideInAnyPackage(
                    "io.telechat.eval.data",
                    "io.telechat.eval.math",
                    "io.telechat.eval.sandbox",
                    "io.telechat.eval.text")
            .should()
            .dependOnClassesThat(resideInAPackage("io.telechat.eval..")
                    .and(not(resideInAnyPackage(
                            "io.telechat.eval.data",
                            "io.telechat.eval.math",
                            "io.telechat.eval.sandbox",
                            "io.telechat.eval.text"))));

    @ArchTest
    static final ArchRule nobodyPrintsOrExits = noClasses()
            .should()
            .accessField(System.class, "out")
            .orShould()
            .accessField(System.class, "err")
            .orShould()
            .callMethod(System.class, "exit", int.class);
}
