using BenchmarkDotNet.Running;

BenchmarkSwitcher.FromAssembly(typeof(Lorikeet.Bench.GemmBenchmarks).Assembly).Run(args);
