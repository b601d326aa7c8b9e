import { describe, expect, it } from '@jest/globals';
import {
  type Ask,
  findPrerequisites,
  MissingPrerequisitesError,
} from '../../../../local/setup/prerequisites.ts';

const JAVA_17 = 'openjdk version "17.0.15" 2025-04-15\n';
const all = { java: JAVA_17, mvn: 'Apache Maven 3.8.7', python3: 'python 3 11\n' };

/** Answers by a program's last path segment; null where it isn't installed. */
function machine(answers: Record<string, string>): Ask {
  return (command) => answers[command.split('/').at(-1) as string] ?? null;
}

describe('the prerequisites of set-up', () => {
  it('are found where they are new enough', () => {
    expect(findPrerequisites(machine(all), 'debian')).toEqual({ maven: 'mvn', python: 'python3' });
  });

  it('take a newer Python beside an old one', () => {
    const old = machine({ ...all, python3: 'python 3 9\n', 'python3.12': 'python 3 12\n' });
    expect(findPrerequisites(old, 'debian').python).toBe('python3.12');
  });

  it('are named all at once with one command when missing', () => {
    const nothing = () => findPrerequisites(machine({}), 'debian');
    expect(nothing).toThrow(MissingPrerequisitesError);
    expect(nothing).toThrow(/Java[\s\S]*Maven[\s\S]*Python/);
    expect(nothing).toThrow('apt-get install -y openjdk-17-jdk-headless maven python3 python3-venv');
  });

  it('say what was found when it is too old', () => {
    const old = machine({ ...all, java: 'openjdk version "11.0.2" 2019-01-15\nOpenJDK' });
    expect(() => findPrerequisites(old, 'macos')).toThrow(
      /found: openjdk version "11.0.2"[\s\S]*brew install openjdk@17/,
    );
  });

  it('do not take Java 1.8 for a version above 17', () => {
    expect(() => findPrerequisites(machine({ ...all, java: 'java version "1.8.0_402"' }), 'other')).toThrow(
      'https://adoptium.net',
    );
  });

  it('want a Python that can make virtual environments', () => {
    const bare: Ask = (command, args) =>
      command === 'python3' && args[0] === '--version'
        ? 'Python 3.11.2'
        : machine({ ...all, python3: '' })(command, args);
    expect(() => findPrerequisites(bare, 'debian')).toThrow(/with venv \(found: Python 3.11.2\)/);
  });
});
