// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval;

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

    @ArchTest
    static final ArchRule nobodyPrintsOrExits = noClasses()
            .should()
            .accessField(System.class, "out")
            .orShould()
            .accessField(System.class, "err")
            .orShould()
            .callMethod(System.class, "exit", int.class);
}
