"""What the routes work with, made once at the start and handed down."""

from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from api.accept import Accept
from api.auth import Auth
from api.broadcasts import TakeBroadcasts
from api.cancel import Cancel
from api.conversions import Conversions
from api.figures import Figures
from api.hits import Hits
from api.journal import Journal
from api.known import KnownUsers
from api.ops.desk import Desk
from api.people import People
from api.publish import Publish
from api.signups import SignUps
from api.stats import Stats
from api.wording import Wording
from tocsin.clock import Clock, SystemClock
from tocsin.links import Seals
from tocsin.settings import Settings
from tocsin.store import Broadcasts, Cancellations, Profiles, Subscriptions, Templates
from tocsin.store.clicks import Clicks
from tocsin.store.idempotency import Idempotency
from tocsin.store.inbox import Inbox
from tocsin.store.otp import OtpStore
from tocsin.store.present import Present
from tocsin.store.schedule import Schedule
from tocsin.store.tickets import Tickets
from tocsin.templates import Catalogue, Choose, Renderer


@dataclass(frozen=True, slots=True)
class Services:
    """One of each per process."""

    settings: Settings
    clock: Clock
    redis: Redis
    producer: AIOKafkaProducer
    auth: Auth
    figures: Figures
    stats: Stats
    publish: Publish
    accept: Accept
    cancel: Cancel
    cancellations: Cancellations
    broadcasts: TakeBroadcasts
    signups: SignUps
    profiles: Profiles
    people: People
    subscriptions: Subscriptions
    idempotency: Idempotency
    otp: OtpStore
    tickets: Tickets
    inbox: Inbox
    present: Present
    schedule: Schedule
    catalogue: Catalogue
    wording: Wording
    renderer: Renderer
    desk: Desk
    seals: Seals
    public_url: str
    hits: Hits
    conversions: Conversions

    @classmethod
    def over(
        cls,
        settings: Settings,
        redis: Redis,
        producer: AIOKafkaProducer,
        clock: Clock | None = None,
        events: AIOKafkaProducer | None = None,
    ) -> "Services":
        """Everything over one store client and one producer, or another one for `events`: clicks
        and opens, which wait for nobody. The catalogue knows the bundled
        templates and what is changed through here; a Feed has it know the others."""
        clock = clock or SystemClock()
        profiles, subscriptions = Profiles(redis), Subscriptions(redis)
        publish = Publish(producer, settings.partitions)
        templates, catalogue = Templates(redis), Catalogue()
        choose = Choose(catalogue, templates)
        cancellations, figures = Cancellations(redis), Figures(settings)
        known, clicks = KnownUsers(profiles), Clicks(redis)
        return cls(
            settings=settings,
            clock=clock,
            redis=redis,
            producer=producer,
            auth=Auth(settings),
            figures=figures,
            stats=Stats(figures, clock),
            publish=publish,
            accept=Accept(profiles, known, choose, publish, cancellations, clock),
            broadcasts=TakeBroadcasts(Broadcasts(redis), choose, publish, clock),
            cancellations=cancellations,
            cancel=Cancel(cancellations, Schedule(redis), figures, publish, clock),
            schedule=Schedule(redis),
            signups=SignUps(subscriptions, profiles, publish),
            profiles=profiles,
            people=People(profiles, publish),
            subscriptions=subscriptions,
            idempotency=Idempotency(redis),
            otp=OtpStore(redis, settings, clock),
            tickets=Tickets(redis),
            inbox=Inbox(redis),
            present=Present(redis),
            catalogue=catalogue,
            wording=Wording(templates, catalogue, publish),
            renderer=Renderer(settings),
            desk=Desk.over(settings, redis, producer, figures, clock),
            seals=Seals(settings),
            public_url=settings.public_url.rstrip("/"),
            hits=Hits(
                Publish(events or producer, settings.partitions), known, clicks,
                Journal(settings.data_dir / "clicks"),
            ),
            conversions=Conversions(clicks, figures, publish),
        )  # fmt: skip
