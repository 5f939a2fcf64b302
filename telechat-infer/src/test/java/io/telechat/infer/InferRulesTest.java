// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "io.telechat.infer", importOptions = ImportOption.DoNotIncludeTests.class)
class InferRulesTest {
    @ArchTest
    static final ArchRule knowsCoreOnly = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "io.telechat.train..",
                    "io.telechat.cli..",
                    "io.telechat.core.backend.cpu..",
                    "io.telechat.core.backend.nd4j..",
                    "org.nd4j..");

    @ArchTest
    static final ArchRule packagesHaveNoCycles =
            slices().matching("io.telechat.infer.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule samplingStandsAlone = noClasses()
            .that()
            .resideInAPackage("io.telechat.infer.sampling")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.telechat.infer", "io.telechat.core.model..");

    @ArchTest
    static final ArchRule theEngineKnowsNothingOfChats = noClasses()
            .that()
            .resideInAnyPackage("io.telechat.infer.engine", "io.telechat.infer.generation", "io.telechat.infer.grammar")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.telechat.infer", "io.telechat.core.chat");

    @ArchTest
    static final ArchRule nobodyPrintsOrExits = noClasses()
            .should()
            .accessField(System.class, "out")
            .orShould()
            .accessField(System.class, "err")
            .orShould()
            .callMethod(System.class, "exit", int.class);
}
