using Lorikeet.Inference;
using Lorikeet.Peft;
using Lorikeet.Training;

using ModelPackage package = ModelPackage.Open(args[0]);
Adapter adapter = package.Model.AddAdapter(new LoraOptions { Rank = 16, Alpha = 32, Targets = [LoraOptions.AllLinear] });

ExampleEncoder encoder = new(package.Tokenizer, package.ChatTemplates is { } chat ? chat.Render : null, package.EndTokens[0], lossOn: null);
TrainingData data = TrainingData.Load(new DataOptions { Train = [new DataSource { Path = args[1] }] }, encoder, package.Model.Facts.ContextLength);
using Trainer trainer = new(package.Model, adapter.Parameters, new TrainingOptions { Steps = 50 }, 2e-4, data.Train, RowOrder.Shuffle);
trainer.Stepped = step => Console.WriteLine($"step {step.Step}: loss {step.Loss:0.000}");
trainer.Run();
AdapterFile.Save(adapter, args[2]);

using Generator generator = new(package.Model, package.Tokenizer);
Generation answer = generator.Add(new GenerationRequest { Prompt = package.Tokenizer.EncodeIds(args[3]), EndTokens = package.EndTokens });
generator.Run();
Console.WriteLine(answer.Text);
